import { createHash } from 'node:crypto';
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

async function append(tx: Tx, journal: Journal, entry: AuditEntry): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('audit ' || $1))`, [entry.brandId]);
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

/** Walks a brand's chain; returns the first sequence number that does not fit, or null when all do. */
export async function verifyAudit(tx: Tx, brandId: string): Promise<number | null> {
  return firstMisfit(tx, STORE, brandId);
}

/** `verifyAudit` of the vault. */
export async function verifyVaultAudit(tx: Tx, brandId: string): Promise<number | null> {
  return firstMisfit(tx, VAULT, brandId);
}

async function firstMisfit(tx: Tx, journal: Journal, brandId: string): Promise<number | null> {
  const rows = await tx
    .getRepository(journal.row)
    .find({ where: { brandId }, order: { seq: 'ASC' } });
  let prevHash = GENESIS;
  for (const [index, row] of rows.entries()) {
    if (row.seq !== index + 1 || row.prevHash !== prevHash || row.hash !== contentHash(row))
      return index + 1;
    prevHash = row.hash;
  }
  return null;
}
