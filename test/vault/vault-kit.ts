import { createPrivateKey, randomBytes, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import {
  decodeAssertion,
  decodeAssertions,
  header,
  localSigner,
  signAssertion,
  type Assertion,
  type AssertionDraft,
  type Signer,
} from '#libs/assertions';
import { dropDatabase, type DatabaseUrls } from '#libs/database';
import { startApp, type RunningApp } from '#libs/runtime';
import { initVault } from '../../apps/serial-vault/src/init-vault.js';
import { ask, type Answer } from '../../tools/clients/http.js';
import { freshDatabase } from '../support/databases.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

const VECTORS = new URL('../vectors/assertions/', import.meta.url);

/** Bytes of a file of the assertion vectors. */
export const vectorBytes = (path: string): Buffer => readFileSync(new URL(path, VECTORS));
export const vector = (path: string): Assertion => decodeAssertion(vectorBytes(path));
export const vectorKey = (name: string): KeyObject =>
  createPrivateKey(vectorBytes(`keys/${name}.pem`));

/** The root, store and brand of the vectors: keys of 4096 bits need not be made for each test. */
export const ROOT = ['chain/root-account.assert', 'chain/root-account-key.assert'];
export const BRAND = header(vector('chain/brand-account.assert'), 'account-id');
export const brandSigner = localSigner(vectorKey('brand'));
const storeSigner = localSigner(vectorKey('store'));
const OPERATOR = header(vector('chain/store-account-key.assert'), 'account-id');

const streamOf = (paths: readonly string[]): string =>
  paths.map((path) => vectorBytes(path).toString()).join('\n');

const stamp = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z');

/** What administration needs of a vault. */
export type Administered = Pick<RunningVault, 'url' | 'token'>;

export interface RunningVault {
  readonly adminUrl: string;
  readonly url: string;
  readonly token: string;
  readonly urls: DatabaseUrls;
  readonly env: Readonly<Record<string, string>>;
  readonly trusted: readonly Assertion[];
  /** As the owner, who sees every row; for what no route shows. */
  sql<T>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** Metrics and health. */
  opsUrl(): string;
  /** Stops the process's parts and starts them anew, on the same database and port. */
  restart(change?: Readonly<Record<string, string>>): Promise<void>;
  /** Stops the parts only; `restart` starts them again. */
  stopProcess(): Promise<void>;
  stop(): Promise<void>;
}

/** A database, files and first token for a vault that trusts the vectors' root. */
export interface PreparedVault extends Omit<
  RunningVault,
  'url' | 'opsUrl' | 'restart' | 'stop' | 'stopProcess'
> {
  readonly adminUrl: string;
  remove(): Promise<void>;
}

export async function prepareVault(
  change: Readonly<Record<string, string>> = {},
): Promise<PreparedVault> {
  const { database, adminUrl, urls } = await freshDatabase('vault');
  const dir = mkdtempSync(join(tmpdir(), 'vault-'));
  const file = (name: string, content: string): string => {
    writeFileSync(join(dir, name), content, { mode: 0o600 });
    return join(dir, name);
  };
  const secret = (name: string): string => file(name, randomBytes(32).toString('base64'));
  const env = {
    DATABASE_URL: urls.vault,
    PORT: '0',
    METRICS_PORT: '0',
    PUBLIC_URL: 'https://vault.acme.example',
    SECRET_FILE: secret('secret'),
    MASTER_KEY_FILE: secret('master'),
    TRUSTED_FILE: file('root', streamOf(ROOT)),
    LOG_LEVEL: process.env.VAULT_TEST_LOG ?? 'silent',
    ...change,
  };
  const { token = '' } = await initVault(env);
  return {
    token,
    urls,
    env,
    adminUrl,
    trusted: ROOT.map(vector),
    sql: (text, values) => runSql(urls.owner, text, values),
    remove: async () => {
      await dropDatabase(adminUrl, database);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A vault in this process, over real HTTP and a database of its own. */
export async function startVault(
  change: Readonly<Record<string, string>> = {},
  prepare = prepareVault,
): Promise<RunningVault> {
  // Late: a test with a store in its process can use all else here, but has no room for the types of a second GraphQL.
  const { vaultPlan } = await import('../../apps/serial-vault/src/plan.js');
  const prepared = await prepare(change);
  let app: RunningApp = await startApp(vaultPlan, prepared.env);
  const url = app.addresses.http ?? '';
  return {
    ...prepared,
    url,
    opsUrl: () => app.addresses.ops ?? '',
    restart: async (more = {}) => {
      await app.stop();
      app = await startApp(vaultPlan, { ...prepared.env, PORT: new URL(url).port, ...more });
    },
    stopProcess: () => app.stop(),
    stop: async () => {
      await app.stop();
      await prepared.remove();
    },
  };
}

export async function runSql<T>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows as T[];
  } finally {
    await client.end();
  }
}

/** The only serial in an answer. */
export function serialIn(text: string): Assertion {
  const [serial, ...more] = decodeAssertions(Buffer.from(text)).filter(
    ({ type }) => type === 'serial',
  );
  if (!serial || more.length > 0)
    throw new Error(`cannot find one serial in: ${text.slice(0, 200)}`);
  return serial;
}

/** A GraphQL document; the answer's data, or an error with the first message. */
export async function query<T>(
  vault: Pick<RunningVault, 'url'>,
  token: string,
  document: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<T> {
  const answer = await ask(`${vault.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query: document, variables }),
  });
  const { data, errors } = answer.json<{
    data: T;
    errors?: { message: string; extensions?: { code: string } }[];
  }>();
  if (errors?.[0]) throw new Error(`${errors[0].extensions?.code ?? ''}: ${errors[0].message}`);
  return data;
}

const REFUSED =
  '... on Invalid { message problems { path message } } ... on Forbidden { message } ... on NotFound { message } ... on Conflict { message }';

/** One mutation whose result is a union; throws with the type's name when it was refused. */
export async function mutate<T>(
  vault: Pick<RunningVault, 'url'>,
  token: string,
  call: string,
  type: string,
  fields: string,
  variables: Readonly<Record<string, readonly [type: string, value: unknown]>> = {},
): Promise<T> {
  const declared = Object.entries(variables).map(([name, [typeName]]) => `$${name}: ${typeName}`);
  const head = declared.length > 0 ? `(${declared.join(', ')})` : '';
  const values = Object.fromEntries(
    Object.entries(variables).map(([name, [, value]]) => [name, value]),
  );
  const { result } = await query<{
    result: T & { __typename: string; message?: string; problems?: unknown };
  }>(
    vault,
    token,
    `mutation ${head} { result: ${call} { __typename ... on ${type} { ${fields} } ${REFUSED} } }`,
    values,
  );
  if (result.__typename !== type)
    throw new Error(
      `${result.__typename}: ${result.message ?? ''} ${JSON.stringify(result.problems ?? [])}`,
    );
  return result;
}

/** From the root to the key with which the brand signs models. */
export const CHAIN = [
  'chain/store-account-key.assert',
  'chain/brand-account.assert',
  'chain/brand-account-key.assert',
];

export async function registerBrand(vault: Administered): Promise<void> {
  const assertions = streamOf(CHAIN);
  await mutate(
    vault,
    vault.token,
    `registerBrand(brand: "${BRAND}", assertions: $a)`,
    'Brand',
    'id',
    {
      a: ['String!', assertions],
    },
  );
}

/** Another brand of the same store: its account and the chain to the root. */
export async function otherBrand(): Promise<{ id: string; chain: string }> {
  const id = 'globexglobexglobexglobexglobexgl';
  const headers = {
    'authority-id': OPERATOR,
    'account-id': id,
    username: 'globex',
    'display-name': 'Globex',
    validation: 'unproven',
    timestamp: stamp(new Date()),
  };
  const account = await signAssertion({ type: 'account', headers }, storeSigner, new Date());
  const storeKey = streamOf(['chain/store-account-key.assert']);
  return { id, chain: `${storeKey}\n${account.bytes.toString()}` };
}

/** What the store does with an account-key-request. */
export async function certify(
  request: Assertion,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Assertion> {
  const { 'account-id': accountId, name, 'public-key-sha3-384': keyId } = request.headers;
  return signAssertion(
    {
      type: 'account-key',
      headers: {
        'authority-id': OPERATOR,
        'account-id': accountId,
        name,
        'public-key-sha3-384': keyId,
        since: '2024-01-01T00:00:00Z',
        ...more,
      },
      body: request.body,
    },
    storeSigner,
    new Date(),
  );
}

/** A serial key of the vault, certified by the store; returns its id. */
export async function certifiedKey(
  vault: Administered,
  name = 'acme-serials',
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const made = await mutate<{ keyId: string; accountKeyRequest: string }>(
    vault,
    vault.token,
    `createSigningKey(brand: "${BRAND}", name: "${name}")`,
    'SigningKey',
    'keyId accountKeyRequest',
  );
  const accountKey = await certify(decodeAssertion(Buffer.from(made.accountKeyRequest)), more);
  await mutate(
    vault,
    vault.token,
    `importAccountKey(brand: "${BRAND}", assertions: $a)`,
    'SigningKey',
    'isCertified',
    {
      a: ['String!', accountKey.bytes.toString()],
    },
  );
  return made.keyId;
}

export function modelAssertion(
  model: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Assertion> {
  const draft: AssertionDraft = {
    type: 'model',
    headers: {
      'authority-id': BRAND,
      series: '16',
      'brand-id': BRAND,
      model,
      architecture: 'amd64',
      base: 'core24',
      gadget: 'acme-gadget',
      kernel: 'acme-kernel',
      timestamp: stamp(new Date()),
      ...more,
    },
  };
  return signAssertion(draft, brandSigner, new Date());
}

export interface TestModel {
  readonly name: string;
  readonly assertion: Assertion;
  readonly apiKey: string;
  readonly apiKeyId: string;
}

/** A model of the brand with a key for its gadgets; devices of 2048 bits are welcome. */
export async function registerModel(
  vault: Administered,
  name: string,
  policy: Readonly<Record<string, unknown>>,
  assertion?: Assertion,
): Promise<TestModel> {
  const signed = assertion ?? (await modelAssertion(name));
  await mutate(
    vault,
    vault.token,
    `registerModel(brand: "${BRAND}", assertion: $a, policy: $p)`,
    'Model',
    'policyRevision',
    {
      a: ['String!', signed.bytes.toString()],
      p: ['PolicyInput!', { minimumKeyBits: 2048, ...policy }],
    },
  );
  const key = await createApiKey(vault, name);
  return { name, assertion: signed, apiKey: key.key, apiKeyId: key.id };
}

export function createApiKey(
  vault: Administered,
  model: string,
  input: Readonly<Record<string, unknown>> = {},
): Promise<{ id: string; key: string }> {
  return mutate(
    vault,
    vault.token,
    `createApiKey(brand: "${BRAND}", model: "${model}", input: $i)`,
    'NewApiKey',
    'id key',
    { i: ['ApiKeyInput!', { name: 'gadget', ...input }] },
  );
}

/** Of a small device, and no other test of the file has it. */
export const freshKey = (): Signer => localSigner(cheapKey());

export interface RequestChange {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: string;
}

export function serialRequest(
  model: Assertion,
  requestId: string,
  signer: Signer,
  serial: string,
  { headers = {}, body }: RequestChange = {},
): Promise<Assertion> {
  return signAssertion(
    {
      type: 'serial-request',
      headers: {
        'brand-id': header(model, 'brand-id'),
        model: header(model, 'model'),
        'request-id': requestId,
        'device-key': signer.publicKey.encoded,
        ...(serial && { serial }),
        ...headers,
      },
      ...(body !== undefined && { body }),
    },
    signer,
    new Date(),
  );
}

export async function requestId(vault: Pick<RunningVault, 'url'>, apiKey: string): Promise<string> {
  const answer = await ask(`${vault.url}/v1/request-id`, {
    method: 'POST',
    headers: { 'api-key': apiKey },
  });
  if (answer.status !== 200)
    throw new Error(`cannot get a request-id: ${answer.status} ${answer.text}`);
  return answer.json<{ 'request-id': string }>()['request-id'];
}

export function postSerial(
  vault: Pick<RunningVault, 'url'>,
  apiKey: string | undefined,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return ask(`${vault.url}/v1/serial`, {
    method: 'POST',
    headers: {
      ...(apiKey !== undefined && { 'api-key': apiKey }),
      'content-type': 'application/x.ubuntu.assertion',
      'snap-device-capabilities': 'serial-stream',
      ...headers,
    },
    body: Buffer.isBuffer(body) ? new Uint8Array(body) : body,
  });
}

export const inStream = (...assertions: readonly Assertion[]): string =>
  assertions.map(({ bytes }) => bytes.toString()).join('\n');

/** Both calls, as snapd makes them. */
export async function register(
  vault: Pick<RunningVault, 'url'>,
  model: TestModel,
  signer: Signer,
  serial: string,
  change: RequestChange = {},
): Promise<Answer> {
  const id = await requestId(vault, model.apiKey);
  const request = await serialRequest(model.assertion, id, signer, serial, change);
  return postSerial(vault, model.apiKey, inStream(request, model.assertion));
}

export const codeOf = (answer: Answer): string =>
  answer.json<{ error_list: [{ code: string }] }>().error_list[0].code;
