import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeviceStore } from './support/device-store.js';
import { postRefresh, type WireAnswer } from './support/refreshing.js';

interface Exchange {
  readonly client: string;
  readonly label: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly context: unknown[];
    readonly actions: unknown[];
    readonly fields: string[];
  };
  readonly expected: readonly Readonly<Record<string, unknown>>[];
}

const FILE = join(import.meta.dirname, '../captures/refresh-requests.json');
const { exchanges } = JSON.parse(readFileSync(FILE, 'utf8')) as { exchanges: Exchange[] };

/** As the captures have them; ids that no request names are made up. */
const SNAPS = {
  realdemo: { id: 'realdemoidididididididididididid', revisions: [1, 2] },
  realbase: { id: 'realbaseidididididididididididid', revisions: [1] },
  core18: { id: 'CSO04Jhav2yK0uz97cr0ipQRyqg0qQL6', revisions: [1] },
  pc: { id: 'UqFziVZDHLSyO3TqSWgNBoAdHbLI4dAH', revisions: [1] },
  'pc-kernel': { id: 'pYVQrBcKmBa0mZ4CCN7ExT6jH8rY1hza', revisions: [1] },
  snapd: { id: 'PMrrV4ml8uWuEUDBT8dSGnKUYbevVhc4', revisions: [1] },
} as const;

let store: DeviceStore;

beforeAll(async () => {
  store = await DeviceStore.start();
  const brand = await store.brand('realpub', { allowPublic: true });
  for (const [name, { id, revisions }] of Object.entries(SNAPS)) {
    const snap = await store.snap(brand, name, { id });
    for (const revision of revisions) await store.revision(snap, revision);
    await store.release(snap, 1);
    await store.release(snap, revisions.length, 'latest/stable');
    await store.release(snap, revisions.length, 'latest/edge');
  }
  await store.compile(brand);
});
afterAll(() => store.stop());

it.each(exchanges)(
  'answers $client as it went on with: $label',
  async ({ headers, body, expected }) => {
    const answer = await postRefresh(store.url, { ...body, headers });
    expect(answer.status).toBe(200);
    const results = answer.json<WireAnswer>().results.map((one) => ({
      result: one.result,
      'instance-key': one['instance-key'],
      ...(one.snap ? { revision: one.snap.revision } : { code: one.error?.code }),
    }));
    // The order is free, the instance key ties a result to its action (device-api.md 2.1).
    expect(new Set(results)).toEqual(new Set(expected));
    expect(results).toHaveLength(expected.length);
  },
);

it('replays old and new clients alike', () => {
  const clients = new Set(exchanges.map(({ client }) => client));
  expect([...clients].some((client) => client.includes('2.57.6'))).toBe(true);
  expect(exchanges.length).toBeGreaterThan(60);
});
