import { readApiKey, type StoredApiKey } from '#libs/auth';
import {
  stageFormerLog,
  stageFormerSubstores,
  stageFormerVault,
  type FormerLogRow,
  type FormerModelRef,
  type FormerSubstoreRow,
  type Tx,
} from '#libs/database';
import { isTaken, LEFT_TABLES } from './former-tables.js';
import type { ImportTally } from './import-report.js';
import { dumpError, readDump, type DumpRow } from './read-dump.js';

export interface FormerAccount {
  readonly id: string;
  readonly brandId: string;
  readonly assertion: string;
}

export interface FormerKey {
  readonly keyId: string;
  readonly name: string;
  readonly isActive: boolean;
  readonly assertion: string;
}

export interface FormerModel extends FormerModelRef {
  readonly key: FormerKey;
  /** Null: no gadget can send it here. */
  readonly apiKey: StoredApiKey | null;
}

/** The short tables; log and substores lie in the database meanwhile. */
export interface StagedDump {
  readonly accounts: readonly FormerAccount[];
  readonly keys: readonly FormerKey[];
  readonly models: readonly FormerModel[];
}

const BATCH = 1000;
const KEY_ID = /^[\w-]{64}$/;

/**
 * Reads a dump to its end, so that nothing is taken of one that is not whole; API keys are hashed as they arrive and kept
 * nowhere else. Throws `dumpError`.
 */
export async function stageDump(
  tx: Tx,
  lines: AsyncIterable<string>,
  pepper: Uint8Array,
  tally: ImportTally,
): Promise<StagedDump> {
  await stageFormerVault(tx);
  const accounts = new Map<string, FormerAccount>();
  const keys = new Map<string, FormerKey>();
  const models: Omit<FormerModel, 'accountId' | 'key'>[] = [];
  const origins = new Map<string, Origin>();
  const log = new Batch<FormerLogRow>((rows) => stageFormerLog(tx, rows));
  const substores = new Batch<FormerSubstoreRow>((rows) => stageFormerSubstores(tx, rows));
  for await (const row of readDump(lines)) {
    const { table, line } = row;
    tally.count(table, 'read');
    if (!isTaken(table)) {
      tally.skip(table, LEFT_TABLES[table] ?? '');
      continue;
    }
    const of = (name: string): string => textOf(row, name);
    switch (table) {
      case 'account':
        accounts.set(of('id'), {
          id: of('id'),
          brandId: of('authority_id'),
          assertion: row.values.assertion ?? '',
        });
        break;
      case 'keypair':
        keys.set(of('id'), toKey(row, of));
        break;
      case 'model':
        models.push({
          id: of('id'),
          brandId: of('brand_id'),
          name: of('name'),
          apiKey: readApiKey(of('api_key').replaceAll(' ', ''), pepper),
        });
        origins.set(of('id'), { line, keypairId: of('keypair_id') });
        break;
      case 'signinglog':
        await log.add(toLogRow(row, of));
        break;
      case 'substore':
        await substores.add({
          line,
          accountId: of('account_id'),
          fromModelId: of('from_model_id'),
          store: of('store'),
          serial: of('serial_number'),
          toModel: of('model_name'),
        });
    }
  }
  await log.flush();
  await substores.flush();
  const joined = models.map((model) => joinModel(model, origins.get(model.id), accounts, keys));
  return { accounts: [...accounts.values()], keys: [...keys.values()], models: joined };
}

interface Origin {
  readonly line: number;
  readonly keypairId: string;
}

function joinModel(
  model: Omit<FormerModel, 'accountId' | 'key'>,
  { line, keypairId }: Origin = { line: 0, keypairId: '' },
  accounts: ReadonlyMap<string, FormerAccount>,
  keys: ReadonlyMap<string, FormerKey>,
): FormerModel {
  const account = [...accounts.values()].find(({ brandId }) => brandId === model.brandId);
  const key = keys.get(keypairId);
  if (account === undefined)
    throw dumpError(line, 'model', `no account of the dump is ${model.brandId}`);
  if (key === undefined) throw dumpError(line, 'model', `no keypair of the dump is ${keypairId}`);
  return { ...model, accountId: account.id, key };
}

function textOf({ table, line, values }: DumpRow, name: string): string {
  const value = values[name];
  if (value === null || value === undefined || value.trim() === '')
    throw dumpError(line, table, `${name} is empty`);
  return value;
}

function toKey({ line, values }: DumpRow, of: (name: string) => string): FormerKey {
  const keyId = of('key_id');
  if (!KEY_ID.test(keyId)) throw dumpError(line, 'keypair', 'key_id is no id of a key');
  const { active, assertion, key_name: name } = values;
  return { keyId, name: name ?? '', isActive: active === 't', assertion: assertion ?? '' };
}

/** `created` has no time zone there; servers of it run on UTC. */
function toLogRow({ line, values }: DumpRow, of: (name: string) => string): FormerLogRow {
  const [id, revision] = [Number(of('id')), Number(values.revision ?? 1)];
  const at = new Date(`${of('created').replace(' ', 'T')}Z`);
  if (!Number.isSafeInteger(id) || !Number.isInteger(revision) || Number.isNaN(at.getTime()))
    throw dumpError(line, 'signinglog', 'id, revision or created cannot be read');
  if (!KEY_ID.test(of('fingerprint')))
    throw dumpError(line, 'signinglog', 'fingerprint is no id of a device key');
  return {
    id,
    brandId: of('make'),
    model: of('model'),
    serial: of('serial_number'),
    deviceKeyId: of('fingerprint'),
    revision,
    at,
  };
}

/** So many rows go to the database at once. */
class Batch<T> {
  private rows: T[] = [];

  constructor(private readonly store: (rows: readonly T[]) => Promise<void>) {}

  async add(row: T): Promise<void> {
    this.rows.push(row);
    if (this.rows.length >= BATCH) await this.flush();
  }

  async flush(): Promise<void> {
    const { rows } = this;
    this.rows = [];
    if (rows.length > 0) await this.store(rows);
  }
}
