import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AssertionDatabase,
  compareRevisions,
  decodeAssertion,
  decodeAssertions,
  uniqueRef,
  type Assertion,
} from '#libs/assertions';
import { keepAssertion, timestamp } from '#libs/operations';
import { ask, type Answer } from '../../tools/clients/http.js';
import { DeviceStore, type TestBrand, type TestSnap } from './support/device-store.js';
import { refresh, sessionHeader, type WireResult } from './support/refreshing.js';
import { makeDevice } from './support/test-device.js';

const MEDIA_TYPE = 'application/x.ubuntu.assertion';
const FORMATS = { 'account-key': 1, 'snap-declaration': 7, 'system-user': 2 };
const NOT_FOUND = { 'error-list': [{ code: 'not-found', message: 'no assertion with that key' }] };

let store: DeviceStore;
let acme: TestBrand;
let open: TestSnap;
let guarded: TestSnap;
let session: Record<string, string>;

const get = (path: string, headers: Record<string, string> = {}) =>
  ask(`${store.url}/v2/assertions/${path}`, { headers: { accept: MEDIA_TYPE, ...headers } });
const isNotFound = (answer: Answer): boolean =>
  answer.status === 404 &&
  answer.headers.get('content-type') === 'application/json' &&
  JSON.stringify(answer.json()) === JSON.stringify(NOT_FOUND);

/** Revision 5 of a declaration, in a format that not every client understands; its revision 0 has format 0. */
async function newerDeclaration(): Promise<void> {
  const headers = {
    'authority-id': store.operatorAccountId,
    series: '16',
    'snap-id': open.id,
    'snap-name': 'open-app',
    'publisher-id': acme.id,
    timestamp: timestamp(new Date()),
    format: '1',
    revision: '5',
    plugs: { network: 'true' },
  };
  const assertion = await store.signAsStore({ type: 'snap-declaration', headers });
  await store.resources.db.asSystem((tx) => keepAssertion(tx, assertion, open.id));
}

/** What `/v2/assertions/` names (device-api.md 2.2). */
const TYPES = (
  'snap-revision snap-declaration account account-key snap-resource-revision snap-resource-pair store validation-set ' +
  'validation confdb-schema model serial system-user snap-build snap-developer base-declaration preseed'
).split(' ');
const VECTORS = join(import.meta.dirname, '../vectors/assertions/valid');

const vectors = (): Assertion[] =>
  readdirSync(VECTORS)
    .filter((name) => name.endsWith('.assert'))
    .map((name) => decodeAssertion(readFileSync(join(VECTORS, name))));

/** The vectors hold several revisions and formats of some; a store shows the newest. */
function newestOfEach(assertions: readonly Assertion[]): Assertion[] {
  const newest = new Map<string, Assertion>();
  for (const one of assertions) {
    const known = newest.get(uniqueRef(one));
    if (!known || compareRevisions(one, known) > 0) newest.set(uniqueRef(one), one);
  }
  return [...newest.values()];
}

const newest = newestOfEach(vectors());

async function validationSet(sequence: number, revision = 0): Promise<void> {
  const headers = {
    'authority-id': acme.id,
    timestamp: timestamp(new Date()),
    series: '16',
    'account-id': acme.id,
    name: 'fleet',
    sequence: String(sequence),
    ...(revision > 0 && { revision: String(revision) }),
    snaps: [{ name: 'open-app', id: open.id, presence: 'required', revision: String(sequence) }],
  };
  const assertion = await store.sign({ type: 'validation-set', headers }, acme.signer);
  await store.resources.db.asSystem((tx) => keepAssertion(tx, assertion));
}

beforeAll(async () => {
  store = await DeviceStore.start();
  acme = await store.brand('acme', { allowPublic: true });
  open = await store.snap(acme, 'open-app');
  guarded = await store.snap(acme, 'guarded-app', { isProtected: true });
  await store.revision(open, 1, { file: 'acme-base_1.snap' });
  await store.revision(guarded, 1, { file: 'acme-gadget_1.snap' });
  await store.release(open, 1);
  await store.release(guarded, 1);
  await store.compile(acme);
  const device = await makeDevice(store, acme);
  await device.openSession();
  session = sessionHeader(device.session);
  // The latest is not the one that comes last in a list of texts.
  for (const sequence of [1, 2, 10]) await validationSet(sequence);
  await validationSet(2, 4);
  await validationSet(10, 1);
  await newerDeclaration();
  await store.resources.db.asSystem(async (tx) => {
    for (const one of newest) await keepAssertion(tx, one);
  });
});
afterAll(() => store.stop());

async function digestOf(snap: TestSnap): Promise<string> {
  const found = await store.services.revisions.get(snap.id, 1);
  return Buffer.from(found?.sha3384 ?? '', 'hex').toString('base64url');
}

describe('one by one', () => {
  it('D48 each type is served byte for byte as it was signed', async () => {
    const types = new Set(newest.map(({ type }) => type));
    for (const type of TYPES) expect(types).toContain(type);
    // Not all that people are called is ASCII.
    const id = 'acmeacmeacmeacmeacmeacmeacmeacme';
    const headers = {
      'authority-id': store.operatorAccountId,
      'account-id': id,
      username: 'zuerich',
      'display-name': 'Zürcher Geräte \u{1F980} 株式会社',
      validation: 'unproven',
      timestamp: timestamp(new Date()),
    };
    const account = await store.signAsStore({ type: 'account', headers });
    await store.resources.db.asSystem((tx) => keepAssertion(tx, account));
    for (const { type, primaryKey, bytes } of [...newest, account]) {
      const path = [type, ...primaryKey].map(encodeURIComponent).join('/');
      const answer = await get(`${path}?max-format=7`);
      expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
        path,
        200,
        MEDIA_TYPE,
      ]);
      expect(answer.text).toBe(bytes.toString());
    }
  });

  it('the types of a chain are found under the keys that snapd asks for', async () => {
    for (const path of [
      `account/${acme.id}`,
      `account-key/${acme.signer.publicKey.id}`,
      `snap-declaration/16/${open.id}`,
      `snap-revision/${await digestOf(open)}`,
    ]) {
      const answer = await get(`${path}?max-format=0`);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(uniquePath(decodeAssertion(Buffer.from(answer.text)))).toContain(path);
    }
  });

  it('D49 the provenance may be left out or written', async () => {
    const digest = await digestOf(open);
    const short = await get(`snap-revision/${digest}?max-format=0`);
    const long = await get(`snap-revision/${digest}/global-upload?max-format=0`);
    expect([short.status, long.text]).toEqual([200, short.text]);
    expect(isNotFound(await get(`snap-revision/${digest}/other?max-format=0`))).toBe(true);
    const withProvenance = newest.filter(
      ({ type, primaryKey }) => type.startsWith('snap-re') && primaryKey.at(-1) === 'global-upload',
    );
    expect(new Set(withProvenance.map(({ type }) => type))).toEqual(
      new Set(['snap-revision', 'snap-resource-revision', 'snap-resource-pair']),
    );
    for (const one of withProvenance) {
      const full = [one.type, ...one.primaryKey].join('/');
      for (const path of [full, full.slice(0, -'/global-upload'.length)]) {
        expect((await get(`${path}?max-format=0`)).text).toBe(one.bytes.toString());
      }
    }
  });

  it('D50 D54 a validation-set by its latest, by a number and by a number in the path, newest revision', async () => {
    const key = `validation-set/16/${acme.id}/fleet`;
    const sequenceOf = async (path: string) => {
      const { headers } = decodeAssertion(Buffer.from((await get(path)).text));
      return [headers['sequence'], headers['revision'] ?? '0'];
    };
    expect(await sequenceOf(`${key}?sequence=latest&max-format=0`)).toEqual(['10', '1']);
    expect(await sequenceOf(`${key}?sequence=2&max-format=0`)).toEqual(['2', '4']);
    expect(await sequenceOf(`${key}/2?max-format=0`)).toEqual(['2', '4']);
    expect(isNotFound(await get(`${key}?sequence=9&max-format=0`))).toBe(true);
    expect(isNotFound(await get(`${key}-other?sequence=latest&max-format=0`))).toBe(true);
  });

  it('D54 the newest revision is given, even where an older one has a higher format', async () => {
    const id = 'laterlaterlaterlaterlaterlaterla';
    for (const [revision, format] of [
      ['1', '1'],
      ['2', '0'],
    ] as const) {
      const headers = {
        'authority-id': store.operatorAccountId,
        series: '16',
        'snap-id': id,
        'snap-name': 'later',
        'publisher-id': acme.id,
        timestamp: timestamp(new Date()),
        revision,
        ...(format === '1' && { format, plugs: { network: 'true' } }),
      };
      const assertion = await store.signAsStore({ type: 'snap-declaration', headers });
      await store.resources.db.asSystem((tx) => keepAssertion(tx, assertion));
    }
    const { text } = await get(`snap-declaration/16/${id}?max-format=7`);
    expect(decodeAssertion(Buffer.from(text)).revision).toBe(2);
  });

  it('D51 a higher format than the client understands is never given, an older revision is', async () => {
    const revisionAt = async (maxFormat: string) =>
      decodeAssertion(Buffer.from((await get(`snap-declaration/16/${open.id}${maxFormat}`)).text))
        .revision;
    expect(await revisionAt('?max-format=0')).toBe(0);
    expect(await revisionAt('')).toBe(0);
    expect(await revisionAt('?max-format=7')).toBe(5);
  });

  it('D52 D53 D56 unknown keys and types are not found, cleanly', async () => {
    for (const path of [
      'account/nosuchaccountidatall',
      `snap-declaration/16/${'x'.repeat(32)}`,
      `snap-revision/${'A'.repeat(64)}`,
      'store/nosuchstore',
      'no-such-type/x',
      'account',
      'account/a/b/c',
      'serial-request/x',
      'constructor/x',
    ]) {
      const answer = await get(`${path}?max-format=0`);
      expect([path, isNotFound(answer)]).toEqual([path, true]);
    }
    expect((await get(`account/${acme.id}?max-format=x`)).status).toBe(404);
  });

  it('the chain of a blob on offer is complete up to the root', async () => {
    const device = await makeDevice(store, acme);
    await device.openSession();
    for (const name of ['open-app', 'guarded-app']) {
      const { checked } = await device.fetchAndInstall(await device.install(name));
      expect(checked.filter((one) => one.startsWith('snap-'))).toHaveLength(2);
    }
  });

  it('assertions of a snap exist for those for whom the snap exists', async () => {
    const paths = [
      `snap-declaration/16/${guarded.id}?max-format=7`,
      `snap-revision/${await digestOf(guarded)}`,
    ];
    for (const path of paths) {
      expect(isNotFound(await get(path))).toBe(true);
      expect((await get(path, session)).status).toBe(200);
      const level1 = { 'x-device-authorization': session['snap-device-authorization'] ?? '' };
      expect((await get(path, level1)).status).toBe(200);
    }
  });
});

describe('in bulk', () => {
  async function fetchAssertions(
    assertions: readonly unknown[],
    headers: Record<string, string> = {},
    formats: Record<string, number> = FORMATS,
  ): Promise<WireResult> {
    const { results } = await refresh(store.url, {
      actions: [{ action: 'fetch-assertions', key: 'AAA', assertions }],
      fields: ['architectures'],
      'assertion-max-formats': formats,
      headers,
    });
    expect(results).toHaveLength(1);
    return results[0] as WireResult;
  }

  async function streamed(
    result: WireResult,
    headers: Record<string, string> = {},
  ): Promise<Assertion[]> {
    const [url = ''] = result['assertion-stream-urls'] ?? [];
    const answer = await ask(url, { headers: { accept: MEDIA_TYPE, ...headers } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, MEDIA_TYPE]);
    const assertions = decodeAssertions(Buffer.from(answer.text));
    // Each ends with a line end; one empty line stands between two.
    const texts = assertions.map(({ bytes }) => bytes.toString().trimEnd() + '\n');
    expect(answer.text).toBe(texts.join('\n'));
    return assertions;
  }

  const declaration = (snap: TestSnap, more: Record<string, unknown> = {}) => ({
    type: 'snap-declaration',
    'primary-key': ['16', snap.id],
    ...more,
  });

  it('D41 an unknown or older revision gives a URL, the current one none', async () => {
    const account = { type: 'account', 'primary-key': [acme.id] };
    expect((await fetchAssertions([account]))['assertion-stream-urls']).toHaveLength(1);
    const current = await fetchAssertions([{ ...account, 'if-newer-than': 0 }]);
    expect(current).toEqual({
      result: 'fetch-assertions',
      key: 'AAA',
      'assertion-stream-urls': [],
    });
    const older = declaration(open, { 'if-newer-than': 3 });
    expect((await fetchAssertions([older]))['assertion-stream-urls']).toHaveLength(1);
    expect(
      (await fetchAssertions([declaration(open, { 'if-newer-than': 5 })]))['assertion-stream-urls'],
    ).toEqual([]);
  });

  it('D58 a stream brings the prerequisites, in an order in which each can be checked', async () => {
    const assertions = await streamed(await fetchAssertions([declaration(open)]));
    expect(assertions.at(-1)?.type).toBe('snap-declaration');
    expect(assertions.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['account', 'account-key']),
    );
    const database = new AssertionDatabase({ trusted: store.trusted });
    for (const one of assertions) expect(database.add(one, new Date())).toEqual({ valid: true });
  });

  it('D42 sequences: pinned, at or after a point, and the latest', async () => {
    const set = { type: 'validation-set', 'sequence-key': ['16', acme.id, 'fleet'] };
    const point = async (more: Record<string, unknown>) => {
      const result = await fetchAssertions([{ ...set, ...more }]);
      if (result['assertion-stream-urls']?.length === 0) return null;
      return (await streamed(result)).at(-1)?.headers['sequence'];
    };
    expect(await point({})).toBe('10');
    expect(await point({ sequence: 1 })).toBe('1');
    expect(await point({ sequence: 2, 'if-newer-than': 3 })).toBe('2');
    expect(await point({ sequence: 2, 'if-newer-than': 4 })).toBeNull();
    expect(await point({ 'if-sequence-equal-or-newer-than': 2, 'if-newer-than': 4 })).toBe('10');
    // Of the same point a newer revision counts, the known one does not.
    expect(await point({ 'if-sequence-equal-or-newer-than': 10, 'if-newer-than': 0 })).toBe('10');
    expect(await point({ 'if-sequence-equal-or-newer-than': 10, 'if-newer-than': 1 })).toBeNull();
  });

  it('D43 what does not exist is an entry of its own, other groupings are unaffected', async () => {
    const ghost = { type: 'account', 'primary-key': ['nosuchaccountidatall'] };
    const set = { type: 'validation-set', 'sequence-key': ['16', acme.id, 'no-such-set'] };
    const { results } = await refresh(store.url, {
      actions: [
        { action: 'fetch-assertions', key: 'AAA', assertions: [ghost] },
        { action: 'fetch-assertions', key: 'AQA', assertions: [set, declaration(guarded)] },
        { action: 'fetch-assertions', key: 'AgA', assertions: [declaration(open)] },
      ],
      'assertion-max-formats': FORMATS,
    });
    expect(results[0]?.['error-list']).toMatchObject([{ code: 'not-found', ...ghost }]);
    expect(results[1]?.['error-list']).toMatchObject([
      { code: 'not-found', ...set },
      { code: 'not-found', ...declaration(guarded) },
    ]);
    expect(results[2]).not.toHaveProperty('error-list');
    expect(results[2]?.['assertion-stream-urls']).toHaveLength(1);
  });

  it('D44 formats limit what the stream delivers, a type not listed gets format 0', async () => {
    const revisionFor = async (formats: Record<string, number>) =>
      (await streamed(await fetchAssertions([declaration(open)], {}, formats))).at(-1)?.revision;
    expect(await revisionFor({ 'snap-declaration': 7 })).toBe(5);
    expect(await revisionFor({})).toBe(0);
    // What comes along is no other than what is asked for.
    const revision = { type: 'snap-revision', 'primary-key': [await digestOf(open)] };
    const alongFor = async (formats: Record<string, number>) =>
      (await streamed(await fetchAssertions([revision], {}, formats))).find(
        ({ type }) => type === 'snap-declaration',
      )?.revision;
    expect([await alongFor({ 'snap-declaration': 7 }), await alongFor({})]).toEqual([5, 0]);
  });

  it('D45 assertions alone and beside snaps', async () => {
    const fetching = { action: 'fetch-assertions', key: 'AAA', assertions: [declaration(open)] };
    const alone = await refresh(store.url, {
      context: [],
      actions: [fetching],
      'assertion-max-formats': FORMATS,
    });
    expect(alone.results).toMatchObject([{ result: 'fetch-assertions', key: 'AAA' }]);
    expect(alone.results[0]?.['assertion-stream-urls']).toHaveLength(1);
    const { results } = await refresh(store.url, {
      actions: [
        { action: 'install', 'instance-key': 'install-1', name: 'open-app', epoch: null },
        fetching,
        { action: 'install', 'instance-key': 'install-2', name: 'no-such-snap', epoch: null },
      ],
      'assertion-max-formats': FORMATS,
    });
    expect(results.map((one) => one.key ?? one['instance-key'])).toEqual([
      'install-1',
      'AAA',
      'install-2',
    ]);
    expect(results.map(({ result }) => result)).toEqual(['install', 'fetch-assertions', 'error']);
    expect(results[1]).toEqual(alone.results[0]);
  });

  it('protected declarations come to their devices only, whoever has the URL', async () => {
    const result = await fetchAssertions([declaration(guarded)], session);
    expect((await streamed(result, session)).at(-1)?.headers['snap-id']).toBe(guarded.id);
    expect(await streamed(result)).toEqual([]);
  });

  it('many assertions are spread over URLs that every server takes', async () => {
    const snaps = await Promise.all(
      Array.from({ length: 45 }, (_, n) => store.snap(acme, `many-${n}`)),
    );
    await store.compile(acme);
    const result = await fetchAssertions(snaps.map((snap) => declaration(snap)));
    const urls = result['assertion-stream-urls'] ?? [];
    expect(urls).toHaveLength(3);
    for (const url of urls) expect(url.length).toBeLessThan(4000);
  });

  it('a stream URL that is none of ours is not found', async () => {
    for (const wanted of [
      '',
      '?wanted=',
      '?wanted=abc',
      `?wanted=${Buffer.from('{"items":[]}').toString('base64url')}`,
    ]) {
      expect((await ask(`${store.url}/v2/assertion-streams${wanted}`)).status).toBe(404);
    }
  });
});

const uniquePath = ({ type, primaryKey }: Assertion): string => [type, ...primaryKey].join('/');
