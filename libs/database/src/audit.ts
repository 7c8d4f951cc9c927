import { createHash } from 'node:crypto';
import { MoreThan } from 'typeorm';
import type { Room, Tx } from './database.js';
import { AuditRow } from './store/entities/index.js';
import { VaultAuditRow } from './vault/entities/index.js';

export interface AuditEntry {
  readonly brandId: string;
  /** `person:<id>`, `token:<id>`, `job:<name>` or `system`. */
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly reason?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

const GENESIS = '0'.repeat(64);

const contentHash = (row: Omit<AuditRow, 'hash'>): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        row.prevHash,
        row.brandId,
        row.seq,
        row.at.toISOString(),
        row.actor,
        row.action,
        row.subject,
        row.reason,
        canonical(row.detail),
      ]),
    )
    .digest('hex');

/** jsonb does not keep the order of names, so the hash must not depend on it. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, canonical(member)]),
  );
}

/** Store and vault have a chain each, of one form. */
interface Journal {
  readonly schema: Room;
  readonly row: typeof AuditRow;
}

const STORE: Journal = { schema: 'store', row: AuditRow };
const VAULT: Journal = { schema: 'vault', row: VaultAuditRow };

/** Appends to the brand's hash chain, in the transaction of the act itself. */
export async function recordAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  return append(tx, STORE, entry);
}

/** `recordAudit` of the vault. */
export async function recordVaultAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  return append(tx, VAULT, entry);
}

/** One lock for the audit chain and the events of a brand, so that no two acts can wait for each other; until the end of `tx`. */
export async function lockJournals(tx: Tx, brandId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('audit ' || $1))`, [brandId]);
}

async function append(tx: Tx, journal: Journal, entry: AuditEntry): Promise<void> {
  await lockJournals(tx, entry.brandId);
  const [last] = await tx.query<{ seq: string; hash: string }[]>(
    `SELECT seq, hash FROM ${journal.schema}.audit_log WHERE brand_id = $1 ORDER BY seq DESC LIMIT 1`,
    [entry.brandId],
  );
  const [clock] = await tx.query<{ now: Date }[]>(
    `SELECT date_trunc('milliseconds', app.now()) AS now`,
  );
  const row = {
    brandId: entry.brandId,
    seq: Number(last?.seq ?? 0) + 1,
    at: clock?.now ?? new Date(0),
    actor: entry.actor,
    action: entry.action,
    subject: entry.subject,
    reason: entry.reason ?? '',
    detail: canonical(entry.detail ?? {}),
    prevHash: last?.hash ?? GENESIS,
  };
  await tx.insert(journal.row, { ...row, detail: row.detail as object, hash: contentHash(row) });
}

/** A place in a chain that was good once. */
export interface AuditAnchor {
  readonly seq: number;
  readonly hash: string;
}

export interface ChainReading {
  /** The last row that fits; null: there is none. */
  readonly last: AuditAnchor | null;
  /** The first sequence number that does not fit, or is missing; null: all do. */
  readonly brokenSeq: number | null;
}

/**
 * Walks a brand's chain from its beginning. A chain cut off at its end fits in itself: `anchor`, where an earlier walk
 * ended, must still lie in it.
 */
export function readAuditChain(
  tx: Tx,
  brandId: string,
  anchor: AuditAnchor | null = null,
): Promise<ChainReading> {
  return readChain(tx, STORE, brandId, anchor);
}

/** Walks a brand's chain; returns the first sequence number that does not fit, or null when all do. */
export async function verifyAudit(tx: Tx, brandId: string): Promise<number | null> {
  return (await readChain(tx, STORE, brandId, null)).brokenSeq;
}

/** `verifyAudit` of the vault. */
export async function verifyVaultAudit(tx: Tx, brandId: string): Promise<number | null> {
  return (await readChain(tx, VAULT, brandId, null)).brokenSeq;
}

/** Rows read at once: a chain of years does not fit into memory. */
const PAGE = 2000;

async function readChain(
  tx: Tx,
  journal: Journal,
  brandId: string,
  anchor: AuditAnchor | null,
): Promise<ChainReading> {
  let last: AuditAnchor | null = null;
  for (;;) {
    const rows: AuditRow[] = await tx.getRepository(journal.row).find({
      where: { brandId, seq: MoreThan(last?.seq ?? 0) },
      order: { seq: 'ASC' },
      take: PAGE,
    });
    for (const row of rows) {
      const seq: number = (last?.seq ?? 0) + 1;
      const fits = row.seq === seq && row.prevHash === (last?.hash ?? GENESIS);
      const isAnchored = row.seq !== anchor?.seq || row.hash === anchor.hash;
      if (!fits || row.hash !== contentHash(row) || !isAnchored) return { last, brokenSeq: seq };
      last = { seq, hash: row.hash };
    }
    if (rows.length === PAGE) continue;
    const isCut = anchor !== null && (last?.seq ?? 0) < anchor.seq;
    return { last, brokenSeq: isCut ? (last?.seq ?? 0) + 1 : null };
  }
}
