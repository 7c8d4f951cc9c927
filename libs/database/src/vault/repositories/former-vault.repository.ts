import type { Tx } from '../../database.js';

/** A row of a former vault's signing log; `line` is where it stands in the dump. */
export interface FormerLogRow {
  readonly id: number;
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  readonly deviceKeyId: string;
  readonly revision: number;
  readonly at: Date;
}

/** Lets one device of the former vault become another model; ids are those of its tables. */
export interface FormerSubstoreRow {
  readonly line: number;
  readonly accountId: string;
  readonly fromModelId: string;
  readonly store: string;
  readonly serial: string;
  readonly toModel: string;
}

const LOG = 'pg_temp.former_log';
const SUBSTORES = 'pg_temp.former_substores';

/** Where the long tables of a dump lie until its end is known to be right; gone with the transaction. */
export async function stageFormerVault(tx: Tx): Promise<void> {
  await tx.query(
    `CREATE TEMP TABLE former_log (id bigint, brand_id text, model text, serial text, device_key_id text, revision int, at timestamptz)
     ON COMMIT DROP`,
  );
  await tx.query(
    `CREATE TEMP TABLE former_substores (line int, account_id text, from_model_id text, store text, serial text, to_model text)
     ON COMMIT DROP`,
  );
}

export async function stageFormerLog(tx: Tx, rows: readonly FormerLogRow[]): Promise<void> {
  await tx.query(
    `INSERT INTO ${LOG} SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::timestamptz[])`,
    [
      rows.map(({ id }) => id),
      rows.map(({ brandId }) => brandId),
      rows.map(({ model }) => model),
      rows.map(({ serial }) => serial),
      rows.map(({ deviceKeyId }) => deviceKeyId),
      rows.map(({ revision }) => revision),
      rows.map(({ at }) => at.toISOString()),
    ],
  );
}

export async function stageFormerSubstores(
  tx: Tx,
  rows: readonly FormerSubstoreRow[],
): Promise<void> {
  await tx.query(
    `INSERT INTO ${SUBSTORES} SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])`,
    [
      rows.map(({ line }) => line),
      rows.map(({ accountId }) => accountId),
      rows.map(({ fromModelId }) => fromModelId),
      rows.map(({ store }) => store),
      rows.map(({ serial }) => serial),
      rows.map(({ toModel }) => toModel),
    ],
  );
}

/** Leaves rows of these brands only; returns how many others there were. */
export async function keepFormerLogOf(tx: Tx, brandIds: readonly string[]): Promise<number> {
  return countOf(tx, `DELETE FROM ${LOG} WHERE brand_id <> ALL ($1::text[])`, [brandIds]);
}

/** Whether the former vault gave this model serials that do not fit `pattern`. */
export async function hasOtherSerials(
  tx: Tx,
  brandId: string,
  model: string,
  pattern: RegExp,
): Promise<boolean> {
  const [row] = await tx.query<{ exists: boolean }[]>(
    `SELECT EXISTS (SELECT 1 FROM ${LOG} WHERE brand_id = $1 AND model = $2 AND serial !~ $3) AS exists`,
    [brandId, model, pattern.source],
  );
  return row?.exists ?? false;
}

/**
 * The devices of the former log: of a serial the one with its highest revision, of a device key the one that it got last. A
 * serial or key that is known here stays as it is. Returns how many are new.
 */
export async function takeFormerDevices(tx: Tx): Promise<number> {
  const taken = await countOf(
    tx,
    `INSERT INTO vault.devices (brand_id, model, serial, device_key_id, revision, sign_key_id, signed_at)
     SELECT DISTINCT ON (brand_id, model, device_key_id) brand_id, model, serial, device_key_id, revision, '', at FROM (
       SELECT DISTINCT ON (brand_id, model, serial) * FROM ${LOG}
       ORDER BY brand_id, model, serial, revision DESC, id DESC) AS latest
     ORDER BY brand_id, model, device_key_id, id DESC
     ON CONFLICT DO NOTHING`,
  );
  // Whoever had a serial before the last one has lost it (serial-vault.md 6.3).
  await tx.query(
    `INSERT INTO vault.superseded_keys (brand_id, model, device_key_id, serial, created_at)
     SELECT DISTINCT ON (brand_id, model, device_key_id) brand_id, model, device_key_id, serial, at FROM ${LOG} AS log
     WHERE NOT EXISTS (SELECT 1 FROM vault.devices AS held WHERE held.brand_id = log.brand_id
       AND held.model = log.model AND held.device_key_id = log.device_key_id)
     ORDER BY brand_id, model, device_key_id, id DESC
     ON CONFLICT DO NOTHING`,
  );
  return taken;
}

/** Drops what an import has brought before; returns how many that were. */
export async function dropKnownFormerLog(tx: Tx): Promise<number> {
  return countOf(
    tx,
    `DELETE FROM ${LOG} AS log USING vault.signing_log AS known
     WHERE (known.brand_id, known.model, known.serial, known.device_key_id, known.revision, known.at)
         = (log.brand_id, log.model, log.serial, log.device_key_id, log.revision, log.at)
       AND known.outcome = 'imported'`,
  );
}

/** The next rows of a brand in their order. */
export async function formerLogAfter(
  tx: Tx,
  brandId: string,
  after: number,
  limit: number,
): Promise<FormerLogRow[]> {
  const rows = await tx.query<(Omit<FormerLogRow, 'id'> & { id: string })[]>(
    `SELECT id, brand_id AS "brandId", model, serial, device_key_id AS "deviceKeyId", revision, at FROM ${LOG}
     WHERE brand_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
    [brandId, after, limit],
  );
  return rows.map((row) => ({ ...row, id: Number(row.id) }));
}

/** A model of the former vault, by the ids of its tables. */
export interface FormerModelRef {
  readonly id: string;
  readonly accountId: string;
  readonly brandId: string;
  readonly name: string;
}

/** Line of the first substore whose model is not among these, or belongs to another account; null: all are right. */
export async function firstLostSubstore(
  tx: Tx,
  models: readonly FormerModelRef[],
): Promise<number | null> {
  const [lost] = await tx.query<{ line: number }[]>(
    `SELECT line FROM ${SUBSTORES} WHERE (from_model_id, account_id) NOT IN
       (SELECT * FROM unnest($1::text[], $2::text[])) ORDER BY line LIMIT 1`,
    [models.map(({ id }) => id), models.map(({ accountId }) => accountId)],
  );
  return lost?.line ?? null;
}

/**
 * Substores become remodel rules of one device each. One that is here already stays as it is, ended or not. Returns how many
 * are new, and how many name the model that the device has: that is no remodel.
 */
export async function takeFormerSubstores(
  tx: Tx,
  models: readonly FormerModelRef[],
): Promise<{ taken: number; sameModel: number; known: number }> {
  const [ids, brands, names] = [
    models.map(({ id }) => id),
    models.map(({ brandId }) => brandId),
    models.map(({ name }) => name),
  ];
  const from = `FROM ${SUBSTORES} AS sub
    JOIN unnest($1::text[], $2::text[], $3::text[]) AS model (id, brand_id, name) ON model.id = sub.from_model_id`;
  const [counted] = await tx.query<{ same: number; all: number }[]>(
    `SELECT count(*)::int AS all, count(*) FILTER (WHERE sub.to_model = model.name)::int AS same ${from}`,
    [ids, brands, names],
  );
  const taken = await countOf(
    tx,
    `INSERT INTO vault.remodel_rules (brand_id, from_model, to_model, from_serial, note)
     SELECT model.brand_id, model.name, sub.to_model, sub.serial, 'store ' || string_agg(sub.store, ', ') || ', of the former vault' ${from}
     WHERE sub.to_model <> model.name AND NOT EXISTS (
       SELECT 1 FROM vault.remodel_rules AS rule WHERE rule.brand_id = model.brand_id AND rule.from_model = model.name
         AND rule.to_model = sub.to_model AND rule.from_serial = sub.serial)
     GROUP BY model.brand_id, model.name, sub.to_model, sub.serial`,
    [ids, brands, names],
  );
  const { same = 0, all = 0 } = counted ?? {};
  return { taken, sameModel: same, known: all - same - taken };
}

/** How many rows a statement changed. */
async function countOf(tx: Tx, sql: string, values: readonly unknown[] = []): Promise<number> {
  const [row] = await tx.query<{ n: number }[]>(
    `WITH changed AS (${sql} RETURNING 1) SELECT count(*)::int AS n FROM changed`,
    [...values],
  );
  return row?.n ?? 0;
}
