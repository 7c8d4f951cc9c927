import { recordVaultAudit, VaultModel, type Tx } from '#libs/database';
import { findRegisteredModel } from '../registration/registered-model.js';
import { isSerial } from '../registration/serial-form.js';
import type { VaultResources } from '../resources.js';
import { readOrderCsv, type LineProblem, type OrderedSerial } from './read-order-csv.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, VaultError } from './vault-error.js';

const MAX_SERIALS = 10_000;
/** So many problems of a file are told; more help nobody. */
const MAX_PROBLEMS = 100;

export interface ImportReport {
  readonly given: number;
  /** How many were not listed before. */
  readonly added: number;
}

export interface ProductionOrder {
  readonly model: string;
  readonly name: string;
  readonly listed: number;
  readonly registered: number;
  readonly firstListedAt: Date;
}

/** Where a serial stands in what was sent: `serials[3]`, `line 4`. */
type Located = ReadonlyMap<string, OrderedSerial>;

/** Serials that production announces (serial-vault.md 6.3). All or none; what is listed already stays as it is. */
export class OrderService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

  /** A few, by hand. */
  list(
    who: VaultPrincipal,
    brandId: string,
    model: string,
    serials: readonly string[],
    order: string,
  ): Promise<ImportReport> {
    if (serials.length > MAX_SERIALS) {
      const message = `at most ${MAX_SERIALS} at once: import a file instead`;
      throw new VaultError('invalid', 'cannot list these serials', [{ path: 'serials', message }]);
    }
    return this.add(who, brandId, model, (whyNot) => {
      const rows = [...new Set(serials)].map((serial) => ({ serial, order, batch: '' }));
      const placed = rows.map((row) => [`serials[${serials.indexOf(row.serial)}]`, row] as const);
      const problems = placed.flatMap(([path, { serial }]) => {
        const message = whyNot(serial);
        return message === null ? [] : [{ path, message }];
      });
      return { rows: new Map<string, OrderedSerial>(placed), problems };
    });
  }

  /** The CSV of an order; `readOrderCsv` says how it looks. */
  import(
    who: VaultPrincipal,
    brandId: string,
    model: string,
    text: string,
    order: string,
  ): Promise<ImportReport> {
    return this.add(who, brandId, model, (whyNot) => {
      const file = readOrderCsv(text, order, whyNot);
      const rows = [...file.rows].map(([line, row]) => [pathOf(line), row] as const);
      const problems = file.problems.map(({ line, message }: LineProblem) => ({
        path: pathOf(line),
        message,
      }));
      return { rows: new Map(rows), problems };
    });
  }

  orders(brandId: string): Promise<ProductionOrder[]> {
    return this.resources.db.asBrand(brandId, (tx) =>
      tx.query<ProductionOrder[]>(
        `SELECT model, order_name AS name, count(*)::int AS listed, count(used_at)::int AS registered,
                min(created_at) AS "firstListedAt"
         FROM vault.listed_serials WHERE brand_id = $1
         GROUP BY model, order_name ORDER BY min(created_at), model, order_name LIMIT 1000`,
        [brandId],
      ),
    );
  }

  private add(
    who: VaultPrincipal,
    brandId: string,
    model: string,
    read: (whyNot: (serial: string) => string | null) => {
      readonly rows: Located;
      readonly problems: readonly Problem[];
    },
  ): Promise<ImportReport> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      found(await tx.findOneBy(VaultModel, { brandId, model }), `model ${model}`);
      const form = (await findRegisteredModel(tx, brandId, model))?.policy.serialForm ?? 'strict';
      const { rows, problems } = read((serial) =>
        isSerial(serial, form) ? null : `${JSON.stringify(serial.slice(0, 40))} is no serial`,
      );
      refuseProblems(problems);
      refuseProblems(await otherOrders(tx, brandId, model, rows));
      const added = await insert(tx, brandId, model, [...rows.values()]);
      const orders = [...new Set([...rows.values()].map(({ order }) => order))];
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'list-serials',
        subject: model,
        detail: { orders: orders.slice(0, MAX_PROBLEMS), given: rows.size, added },
      });
      return { given: rows.size, added };
    });
  }
}

interface Problem {
  readonly path: string;
  readonly message: string;
}

const pathOf = (line: number): string => `line ${line}`;

function refuseProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const message = `cannot list these serials: ${problems.length} of them are not right, none was taken`;
  throw new VaultError('invalid', message, problems.slice(0, MAX_PROBLEMS));
}

/** A serial belongs to one order: two that name it is a slip in one of them. */
async function otherOrders(
  tx: Tx,
  brandId: string,
  model: string,
  rows: Located,
): Promise<Problem[]> {
  const known = await tx.query<{ serial: string; order_name: string }[]>(
    `SELECT serial, known.order_name FROM vault.listed_serials AS known
     JOIN unnest($3::text[], $4::text[]) AS listed (serial, order_name) USING (serial)
     WHERE brand_id = $1 AND model = $2 AND known.order_name <> listed.order_name`,
    [brandId, model, ...columnsOf([...rows.values()]).slice(0, 2)],
  );
  const orderOf = new Map(known.map((row) => [row.serial, row.order_name]));
  return [...rows]
    .filter(([, { serial }]) => orderOf.has(serial))
    .map(([path, { serial }]) => ({
      path,
      message: `serial ${serial} is on order ${JSON.stringify(orderOf.get(serial))} already`,
    }));
}

async function insert(
  tx: Tx,
  brandId: string,
  model: string,
  rows: readonly OrderedSerial[],
): Promise<number> {
  const [counted] = await tx.query<{ added: number }[]>(
    `WITH added AS (
       INSERT INTO vault.listed_serials (brand_id, model, serial, order_name, batch)
       SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::text[])
       ON CONFLICT DO NOTHING RETURNING 1)
     SELECT count(*)::int AS added FROM added`,
    [brandId, model, ...columnsOf(rows)],
  );
  return counted?.added ?? 0;
}

const columnsOf = (rows: readonly OrderedSerial[]): string[][] => [
  rows.map(({ serial }) => serial),
  rows.map(({ order }) => order),
  rows.map(({ batch }) => batch),
];
