import {
  listSigningLog,
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

  /** All rows that the filter lets through, newest first, by pages: what arrives meanwhile is not among them. */
  async *eachRow(brandId: string, filter: SigningLogFilter): AsyncGenerator<VaultSigningLogRow[]> {
    let before: number | undefined;
    for (;;) {
      const rows = await this.signingLog({ brandId, filter, before, limit: EXPORT_PAGE });
      if (rows.length > 0) yield rows;
      if (rows.length < EXPORT_PAGE) return;
      before = rows.at(-1)?.seq;
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
