import type { VaultResources } from '../resources.js';
import { csvCell } from './log-export.js';
import { readOrderCsv } from './read-order-csv.js';
import { VaultError } from './vault-error.js';

const HEADING = 'serial,order,batch,registered-at,finding';

interface Row {
  readonly serial: string;
  readonly orderName: string;
  readonly batch: string;
  readonly registeredAt: Date | null;
  readonly isBuilt: boolean;
  readonly isListed: boolean;
}

/** Compares what the line has built with an order and with what was registered. */
export class ReconciliationService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

  /**
   * `text`: CSV with a column `serial`, of what was built; `order`: its name. The answer has a line for every serial of
   * either side and says in `finding` what does not fit: `ok`, `not registered`, `not built`, `not on the order`.
   */
  async reconcile(brandId: string, model: string, order: string, text: string): Promise<string> {
    const { rows, problems } = readOrderCsv(text, order, () => null);
    if (problems.length > 0)
      throw new VaultError(
        'invalid',
        'cannot read what was built',
        problems.slice(0, 100).map(({ line, message }) => ({ path: `line ${line}`, message })),
      );
    const built = [...rows.values()].map(({ serial }) => serial);
    const found = await this.resources.db.asBrand(brandId, (tx) =>
      tx.query<Row[]>(
        `WITH built AS (SELECT unnest($4::text[]) AS serial),
              listed AS (SELECT serial, order_name, batch FROM vault.listed_serials
                         WHERE brand_id = $1 AND model = $2 AND order_name = $3)
         SELECT serial, coalesce(l.order_name, '') AS "orderName", coalesce(l.batch, '') AS batch,
                d.created_at AS "registeredAt", b.serial IS NOT NULL AS "isBuilt", l.serial IS NOT NULL AS "isListed"
         FROM built b FULL JOIN listed l USING (serial)
         LEFT JOIN (SELECT * FROM vault.devices WHERE brand_id = $1 AND model = $2) d USING (serial)
         ORDER BY serial`,
        [brandId, model, order, built],
      ),
    );
    return [HEADING, ...found.map(lineOf), ''].join('\r\n');
  }
}

function findingOf({ isListed, isBuilt, registeredAt }: Row): string {
  if (!isListed) return 'not on the order';
  if (!isBuilt) return registeredAt === null ? 'not built' : 'registered but not built';
  return registeredAt === null ? 'not registered' : 'ok';
}

const lineOf = (row: Row): string =>
  [row.serial, row.orderName, row.batch, row.registeredAt, findingOf(row)].map(csvCell).join(',');
