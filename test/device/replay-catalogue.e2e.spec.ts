import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeAssertions } from '#libs/assertions';
import { keepAssertion, timestamp } from '#libs/operations';
import type { ScriptedDevice } from '../../tools/clients/device.js';
import { DeviceStore, type TestBrand } from './support/device-store.js';
import { send, type RawAnswer } from './support/device-calls.js';
import { refresh, sessionHeader } from './support/refreshing.js';
import { makeDevice } from './support/test-device.js';

/** The kinds of what was in an answer; null: the client went on without it. */
type Shape = null | string | readonly Shape[] | { readonly [name: string]: Shape };

interface Exchange {
  readonly client: string;
  readonly label: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly expected: {
    readonly status: number;
    readonly type?: string;
    readonly shape?: Shape;
    readonly assertion?: string;
    readonly range?: string;
  };
}

const FILE = join(import.meta.dirname, '../captures/device-requests.json');
const { exchanges, sizes } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  exchanges: Exchange[];
  sizes: Readonly<Record<string, number>>;
};

const NAMES: Readonly<
  Record<string, readonly [name: string, type: 'app' | 'base' | 'gadget' | 'kernel' | 'snapd']>
> = {
  realdemoidididididididididididid: ['realdemo', 'app'],
  realbaseidididididididididididid: ['realbase', 'base'],
  CSO04Jhav2yK0uz97cr0ipQRyqg0qQL6: ['core18', 'base'],
  UqFziVZDHLSyO3TqSWgNBoAdHbLI4dAH: ['pc', 'gadget'],
  pYVQrBcKmBa0mZ4CCN7ExT6jH8rY1hza: ['pc-kernel', 'kernel'],
  PMrrV4ml8uWuEUDBT8dSGnKUYbevVhc4: ['snapd', 'snapd'],
};

let vault: Server;
let store: DeviceStore;
let device: ScriptedDevice;
/** What the words in the captures stand for. */
const words = new Map<string, string>();
/** By file name. */
const blobs = new Map<string, Buffer>();
let usedPapers: string;

beforeAll(async () => {
  vault = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"request-id":"REQ-1"}');
  });
  await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', resolve));
  const { port } = vault.address() as AddressInfo;
  store = await DeviceStore.start({ vaultUrl: `http://127.0.0.1:${port}` });
  const publisher = await store.brand('realpub');
  const brand = await store.brand('realbrand', { allowPublic: true });
  await publish(publisher);
  await keepStoreAndSets(brand, publisher);
  await store.compile(publisher, brand);
  device = await makeDevice(store, brand, {
    model: { classic: 'true', kernel: undefined, gadget: undefined },
  });
  await device.openSession();
  words.set('<session>', `Macaroon root="${device.session}"`).set('<store>', brand.storeId);
  for (const [name, { id, signer }] of Object.entries({ realpub: publisher, realbrand: brand }))
    words.set(`<account ${name}>`, id).set(`<key ${name}>`, signer.publicKey.id);
  usedPapers = await device.sessionPapers();
  await postPapers(usedPapers);
});
afterAll(async () => {
  await store?.stop();
  vault.close();
});

/** The snaps of the captures, with ids, sizes and channels as there. */
async function publish(publisher: TestBrand): Promise<void> {
  for (const [id, [name, type]] of Object.entries(NAMES)) {
    const snap = await store.snap(publisher, name, {
      ...{ id, type, categories: ['utilities'], title: name },
      ...{ summary: `${name} of the captures`, description: 'text', license: 'MIT' },
    });
    const revisions = name === 'realdemo' ? [1, 2] : [1];
    for (const revision of revisions) {
      const file = `${id}_${revision}.snap`;
      const content = randomBytes(sizes[file] ?? 4096);
      const apps = type === 'app' ? `apps:\n  ${name}:\n    command: bin/run\n` : '';
      const snapYaml = `name: ${name}\nversion: '1'\n${apps}`;
      const base = type === 'app' ? 'realbase' : null;
      await store.revision(snap, revision, { content, type, base, snapYaml });
      blobs.set(file, content);
      const digest = createHash('sha3-384').update(content).digest('base64url');
      words.set(`<digest ${id} ${revision}>`, digest);
    }
    for (const risk of ['stable', 'candidate', 'beta', 'edge'])
      await store.release(snap, revisions.length, `latest/${risk}`);
  }
}

async function keepStoreAndSets(brand: TestBrand, publisher: TestBrand): Promise<void> {
  const now = timestamp(new Date());
  const ofStore = await store.signAsStore({
    type: 'store',
    headers: {
      'authority-id': store.operatorAccountId,
      ...{
        store: brand.storeId,
        'operator-id': brand.id,
        url: 'https://store.example',
        timestamp: now,
      },
    },
  });
  words.set('<key store>', ofStore.signKeyId);
  const set = await store.sign(
    {
      type: 'validation-set',
      headers: {
        ...{ 'authority-id': publisher.id, 'account-id': publisher.id, series: '16' },
        ...{ name: 'demoset', sequence: '1', timestamp: now },
        snaps: [{ name: 'realdemo', id: 'realdemoidididididididididididid', presence: 'optional' }],
      },
    },
    publisher.signer,
  );
  await store.resources.db.asSystem(async (tx) => {
    await keepAssertion(tx, ofStore);
    await keepAssertion(tx, set);
  });
}

const postPapers = (body: string): Promise<RawAnswer> =>
  send(store.url, {
    method: 'POST',
    path: '/api/v1/snaps/auth/sessions',
    headers: { 'content-type': 'application/json' },
    body,
  });

const fill = (text: string): string =>
  text.replace(/<[^>]+>/g, (word) => words.get(word) ?? unknown(word));
function unknown(word: string): never {
  throw new Error(`cannot fill in ${word}`);
}

/** Where an answer to a bulk fetch leads, as the client was led by its own. */
async function streamPath(): Promise<string> {
  const assertions = [{ type: 'account', 'primary-key': [words.get('<account realpub>')] }];
  const actions = [{ action: 'fetch-assertions', key: 'k', assertions }];
  const { results } = await refresh(store.url, { actions, headers: sessionHeader(device.session) });
  return results[0]?.['assertion-stream-urls']?.[0]?.slice(store.url.length) ?? '';
}

/** As the client sent it; a redirect of a download is followed without its authorization (device-api.md 2.3). */
async function replay({ method, path, headers, body }: Exchange): Promise<RawAnswer> {
  const filled = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, fill(value)]),
  );
  const sent =
    body === '<papers>'
      ? await device.sessionPapers()
      : body === '<used papers>'
        ? usedPapers
        : body;
  const call = { method, headers: filled, ...(sent !== undefined && { body: sent }) };
  const at = path === '<stream>' ? await streamPath() : fill(path);
  const first = await send(store.url, { ...call, path: at });
  if (first.status !== 302) return first;
  const { authorization: _user, 'x-device-authorization': _device, ...kept } = filled;
  const { pathname, search } = new URL(first.headers.location ?? '');
  return send(store.url, { ...call, headers: kept, path: `${pathname}${search}` });
}

/** What the client found in its answer and does not find in ours, or finds of another kind. */
function missing(ours: unknown, theirs: Shape, at = ''): string[] {
  if (theirs === null) return [];
  if (typeof theirs === 'string') return typeof ours === theirs || ours === null ? [] : [at];
  if (Array.isArray(theirs)) {
    if (!Array.isArray(ours)) return [at];
    const [shape] = theirs as readonly Shape[];
    if (shape === undefined) return [];
    // Which one is the first says nothing.
    const each = ours.map((one) => missing(one, shape, `${at}[]`));
    return each.find((one) => one.length === 0) ?? each[0] ?? [`${at}[]`];
  }
  if (typeof ours !== 'object' || ours === null) return [at];
  return Object.entries(theirs).flatMap(([name, shape]) =>
    missing((ours as Readonly<Record<string, unknown>>)[name], shape, `${at}.${name}`),
  );
}

/**
 * Not a page about the snap, which this store has none of; and not among what `info` says of the snap what it says of
 * the first channel's revision, where snapd takes it from (device-api.md 2.6).
 */
const OF_REVISION =
  /^\.snap\.(architectures|base|common-ids|confinement|created-at|epoch|type|version)/;
const isNeeded = (field: string): boolean =>
  !field.endsWith('.store-url') && !OF_REVISION.test(field);

describe('what real clients asked besides refreshes', () => {
  it.each(exchanges)(
    'answers $client as it went on with: $label $method $path',
    async (exchange) => {
      const { status, type, shape, assertion, range } = exchange.expected;
      const answer = await replay(exchange);
      expect([
        answer.status,
        answer.body.toString('utf8', 0, status === answer.status ? 0 : 500),
      ]).toEqual([status, '']);
      // Of two types that mean "not found" this store has one (device-api.md 2.2).
      if (type !== undefined)
        expect(answer.headers['content-type']).toBe(type.replace('problem+json', 'json'));
      if (shape !== undefined) {
        const ours: unknown = JSON.parse(answer.body.toString());
        expect(missing(ours, shape).filter(isNeeded)).toEqual([]);
      }
      if (assertion !== undefined)
        expect(decodeAssertions(answer.body).map((one) => one.type)).toContain(assertion);
      if (range !== undefined) expect(answer.headers['content-range']).toBe(range);
      const blob = blobs.get(exchange.path.split('/').at(-1) ?? '');
      if (!blob) return;
      const from = Number(/bytes=(\d+)-/.exec(exchange.headers['range'] ?? '')?.[1] ?? 0);
      expect(answer.headers['content-length']).toBe(String(blob.length - from));
      if (exchange.method === 'GET') expect(answer.body.equals(blob.subarray(from))).toBe(true);
    },
  );

  it('are of old and new clients, and of every kind', () => {
    const clients = new Set(
      exchanges.map(({ headers }) => /^snapd\/2\.(57|99)/.exec(headers['user-agent'] ?? '')?.[1]),
    );
    expect([...clients].sort()).toEqual(['57', '99']);
    expect(exchanges.length).toBeGreaterThan(190);
  });
});
