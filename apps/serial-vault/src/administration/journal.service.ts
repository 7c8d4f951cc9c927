import {
  lastSigningLogSeq,
  listSigningLog,
  signingLogLines,
  verifySigningLog,
  verifyVaultAudit,
  VaultAuditRow,
  type SigningLogFilter,
  type SigningLogQuery,
  type VaultSigningLogRow,
} from '#libs/database';
import type { VaultResources } from '../resources.js';

/** As many rows as are in memory at once while a log is exported. */
const EXPORT_PAGE = 1000;

/** First sequence number of each chain that does not fit, or null (serial-vault.md 12.2). */
export interface ChainReport {
  readonly signingLog: number | null;
  readonly auditLog: number | null;
}

/** Reads the two logs; nobody writes them from here. */
export class JournalService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

  signingLog(query: SigningLogQuery): Promise<VaultSigningLogRow[]> {
    return this.resources.db.asBrand(query.brandId, (tx) => listSigningLog(tx, query));
  }

  /** All rows that the filter lets through as JSON, newest first, by pages: what arrives meanwhile is not among them. */
  async *eachLine(brandId: string, filter: SigningLogFilter): AsyncGenerator<string[]> {
    const { db } = this.resources;
    let until = await db.asBrand(brandId, (tx) => lastSigningLogSeq(tx, brandId));
    for (; until > 0; until -= EXPORT_PAGE) {
      const range = { brandId, filter, after: until - EXPORT_PAGE, until };
      const lines = await db.asBrand(brandId, (tx) => signingLogLines(tx, range));
      if (lines.length > 0) yield lines;
    }
  }

  auditLog(brandId: string, limit: number, before: number | undefined): Promise<VaultAuditRow[]> {
    return this.resources.db.asBrand(brandId, (tx) => {
      const rows = tx
        .createQueryBuilder(VaultAuditRow, 'row')
        .where('row.brand_id = :brandId', { brandId })
        .orderBy('row.seq', 'DESC')
        .limit(limit);
      if (before !== undefined) rows.andWhere('row.seq < :before', { before });
      return rows.getMany();
    });
  }

  verify(brandId: string): Promise<ChainReport> {
    return this.resources.db.asBrand(brandId, async (tx) => ({
      signingLog: await verifySigningLog(tx, brandId),
      auditLog: await verifyVaultAudit(tx, brandId),
    }));
  }
}
