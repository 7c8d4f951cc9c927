import { createHash } from 'node:crypto';
import { Between, type SelectQueryBuilder } from 'typeorm';
import type { Tx } from '../../database.js';
import { VaultSigningLogRow, type SigningOutcome } from '../entities/index.js';

/** Requests whose brand cannot be made out are kept under this one. */
export const NO_BRAND = '-';

const GENESIS = '0'.repeat(64);
const PAGE = 1000;

/** What is known of a request when it is logged; the rest of the row is filled in. */
export type SigningLogEntry = {
  readonly brandId: string;
  readonly outcome: SigningOutcome;
} & Partial<Omit<VaultSigningLogRow, 'brandId' | 'seq' | 'at' | 'outcome' | 'prevHash' | 'hash'>>;

/** Everything but the address, which may be taken away later (serial-vault.md 12.2). */
function contentHash(row: Omit<VaultSigningLogRow, 'hash' | 'address'>): string {
  const content = [
    row.prevHash,
    row.brandId,
    row.seq,
    row.at.toISOString(),
    row.outcome,
    row.code,
    row.model,
    row.serial,
    row.revision,
    row.deviceKeyId,
    row.signKeyId,
    row.policyRevision,
    row.apiKeyId,
    row.userAgent,
    row.requestIdHash,
    row.requestDigest,
    row.serialRequest,
    row.serialText,
    row.originalModel,
    row.originalSerial,
    row.operator,
    row.thinned,
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/**
 * Appends a finished row to the brand's chain, in the transaction that makes it true (decisions 21). Rows of a brand wait
 * for each other here, so this comes last in a transaction.
 */
export async function appendSigningLog(
  tx: Tx,
  { brandId, ...entry }: SigningLogEntry,
): Promise<void> {
  await appendSigningLogRows(tx, brandId, [entry]);
}

/** As `appendSigningLog`, for many; those that say no time are of now. */
export async function appendSigningLogRows(
  tx: Tx,
  brandId: string,
  entries: readonly (Omit<SigningLogEntry, 'brandId'> & { readonly at?: Date })[],
): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('signing_log ' || $1))`, [brandId]);
  const [head] = await tx.query<{ at: Date; seq: string | null; hash: string | null }[]>(
    `SELECT date_trunc('milliseconds', app.now()) AS at, last.seq, last.hash FROM (VALUES (1)) AS one (n)
     LEFT JOIN (SELECT seq, hash FROM vault.signing_log WHERE brand_id = $1 ORDER BY seq DESC LIMIT 1) AS last ON true`,
    [brandId],
  );
  let [seq, prevHash] = [Number(head?.seq ?? 0), head?.hash ?? GENESIS];
  const rows = entries.map((entry) => {
    seq += 1;
    const row = { ...BLANK, at: head?.at ?? new Date(0), ...entry, brandId, seq, prevHash };
    prevHash = contentHash(row);
    return Object.assign(new VaultSigningLogRow(), row, { hash: prevHash });
  });
  await tx.insert(VaultSigningLogRow, rows);
}

/** Of a row that says nothing more than its outcome. */
const BLANK = {
  code: '',
  model: '',
  serial: '',
  revision: null,
  deviceKeyId: '',
  signKeyId: '',
  policyRevision: null,
  apiKeyId: null,
  userAgent: '',
  requestIdHash: '',
  requestDigest: '',
  serialRequest: '',
  serialText: '',
  originalModel: '',
  originalSerial: '',
  operator: '',
  thinned: 0,
  address: '',
};

/** Walks a brand's chain; returns the first sequence number that does not fit, or null when all do. */
export async function verifySigningLog(tx: Tx, brandId: string): Promise<number | null> {
  const last = await lastSigningLogSeq(tx, brandId);
  let prevHash = GENESIS;
  let expected = 1;
  while (expected <= last) {
    const rows = await tx.find(VaultSigningLogRow, {
      where: { brandId, seq: Between(expected, expected + PAGE - 1) },
      order: { seq: 'ASC' },
    });
    if (rows.length === 0) return expected;
    for (const row of rows) {
      const fits =
        row.seq === expected && row.prevHash === prevHash && row.hash === contentHash(row);
      if (!fits) return expected;
      prevHash = row.hash;
      expected += 1;
    }
  }
  return null;
}

export interface SigningLogQuery {
  readonly brandId: string;
  readonly limit: number;
  /** Rows below this sequence number: where the page before ended. */
  readonly before?: number | undefined;
  readonly filter?: SigningLogFilter | undefined;
}

/** What all rows have in common; nothing named: all of the brand. */
export interface SigningLogFilter {
  readonly model?: string | undefined;
  /** Any part of it. */
  readonly serial?: string | undefined;
  readonly deviceKeyId?: string | undefined;
  readonly signKeyId?: string | undefined;
  readonly apiKeyId?: string | undefined;
  readonly address?: string | undefined;
  readonly outcome?: string | undefined;
  readonly code?: string | undefined;
  readonly from?: Date | undefined;
  /** Before this instant. */
  readonly until?: Date | undefined;
}

const EQUAL = [
  'model',
  'deviceKeyId',
  'signKeyId',
  'apiKeyId',
  'address',
  'outcome',
  'code',
] as const;

/** Newest first; stable while rows arrive, since the cursor is a sequence number. */
export function listSigningLog(tx: Tx, query: SigningLogQuery): Promise<VaultSigningLogRow[]> {
  const { brandId, before, limit, filter = {} } = query;
  const rows = searchOf(tx, brandId, filter).limit(limit);
  if (before !== undefined) rows.andWhere('log.seq < :before', { before });
  return rows.getMany();
}

/** A part of a brand's log: its rows that the filter lets through, from `after` (not itself) up to `until`. */
export interface SigningLogRange {
  readonly brandId: string;
  readonly after: number;
  readonly until: number;
  readonly filter: SigningLogFilter;
}

/**
 * Rows of a range as JSON, newest first, with the names of `VaultSigningLogRow`. For millions of rows: Postgres writes the
 * JSON, and a range is found by the primary key, where a limit is taken for a reason to sort all that is below the cursor.
 */
export async function signingLogLines(tx: Tx, range: SigningLogRange): Promise<string[]> {
  const { brandId, after, until, filter } = range;
  const { columns } = tx.getRepository(VaultSigningLogRow).metadata;
  const members = columns.map(
    ({ propertyName, databaseName, type }) =>
      `'${propertyName}', ${type === 'timestamptz' ? instantOf(databaseName) : `log.${databaseName}`}`,
  );
  const lines = await searchOf(tx, brandId, filter)
    .select(`json_build_object(${members.join(', ')})::text`, 'json')
    .andWhere('log.seq > :after AND log.seq <= :until', { after, until })
    .getRawMany<{ json: string }>();
  return lines.map(({ json }) => json);
}

/** Number of the newest row; 0: there is none. */
export async function lastSigningLogSeq(tx: Tx, brandId: string): Promise<number> {
  const [last] = await tx.query<{ seq: string }[]>(
    `SELECT seq FROM vault.signing_log WHERE brand_id = $1 ORDER BY seq DESC LIMIT 1`,
    [brandId],
  );
  return Number(last?.seq ?? 0);
}

/** As `Date` writes it. */
const instantOf = (column: string): string =>
  `to_char(log.${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

function searchOf(
  tx: Tx,
  brandId: string,
  filter: SigningLogFilter,
): SelectQueryBuilder<VaultSigningLogRow> {
  const rows = tx
    .createQueryBuilder(VaultSigningLogRow, 'log')
    .where('log.brand_id = :brandId', { brandId })
    .orderBy('log.seq', 'DESC');
  const { serial, from, until } = filter;
  if (serial !== undefined) rows.andWhere('strpos(log.serial, :serial) > 0', { serial });
  if (from !== undefined) rows.andWhere('log.at >= :from', { from });
  if (until !== undefined) rows.andWhere('log.at < :until', { until });
  for (const name of EQUAL) {
    if (filter[name] !== undefined)
      rows.andWhere(`log.${name} = :${name}`, { [name]: filter[name] });
  }
  return rows;
}
