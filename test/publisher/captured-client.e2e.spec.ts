import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, startPublisherStore, type PublisherStore } from './publisher-store.js';
import { SnapcraftClient, SNAPS, type Answer } from './snapcraft-client.js';

interface Exchange {
  readonly n: number;
  readonly label: string;
  readonly request: {
    readonly method: string;
    readonly uri: string;
    readonly headers: Readonly<Record<string, readonly string[]>>;
    readonly body: { readonly text?: string } | null;
  };
  readonly response: { readonly status: number; readonly body: { readonly text: string } };
}

// What a real snapcraft sent, and answers that it accepted (test/captures).
const { exchanges } = JSON.parse(
  readFileSync(new URL('../captures/snapcraft-publisher.json', import.meta.url), 'utf8'),
) as { exchanges: Exchange[] };

/** Real answers differ from the stand-in's here, for the reason given. */
const OTHER_STATUS: Readonly<Record<string, number>> = {
  // publisher-api.md 3.6: an unknown revision is 404.
  'release-missing-revision': 404,
};

let store: PublisherStore;
let snapcraft: SnapcraftClient;
let brandId: string;
let snapId = '';
let uploadId = '';
let statusUrl = '';
const files = ['acme-dashboard_1.snap', 'acme-dashboard_2.snap'];

beforeAll(async () => {
  store = await startPublisherStore();
  brandId = (await store.addBrand('acme')).id;
  await store.addPerson(brandId, 'pub@example.com', ['publisher']);
  snapcraft = new SnapcraftClient(store.url);
});
afterAll(() => store.stop());

/** The captured request with this store's ids in place of those of the capture. */
async function replay({ request }: Exchange): Promise<Answer> {
  const { method, headers, body } = request;
  const uri = request.uri.includes('/builds/')
    ? new URL(statusUrl).pathname
    : request.uri.replace(/realdemo[id]+/, snapId).replace('realdemo', 'acme-dashboard');
  if (method === 'GET') return snapcraft.get(uri);
  const text = (body?.text ?? '')
    .replaceAll(/realdemo(?:id)+/g, snapId)
    .replaceAll('realdemo', 'acme-dashboard')
    .replace('"secret"', JSON.stringify(PASSWORD));
  const sent = text.replace(/"updown_id": "\w+", "binary_filesize": \d+/, await claimed());
  const authorization = headers['Authorization'] ? undefined : null;
  return snapcraft.post(uri, sent, authorization, method as 'POST' | 'PUT');
}

let file = '';
const claimed = async (): Promise<string> =>
  file === ''
    ? ''
    : `"updown_id": "${uploadId}", "binary_filesize": ${(await stat(SNAPS + file)).size}`;

/** Every member that the client was given there is given here, of the same kind. */
function expectLike(given: unknown, wanted: unknown, path: string): void {
  if (wanted === null || given === null) return;
  expect([path, Array.isArray(given), typeof given]).toEqual([
    path,
    Array.isArray(wanted),
    typeof wanted,
  ]);
  if (Array.isArray(wanted)) {
    if (wanted.length > 0) expectLike((given as unknown[])[0], wanted[0], `${path}[0]`);
  } else if (typeof wanted === 'object') {
    for (const [name, member] of Object.entries(wanted)) {
      if (member === null || OPTIONAL.has(name)) continue;
      expect([path, Object.keys(given as object)]).toEqual([
        path,
        expect.arrayContaining([rename(name)]),
      ]);
      expectLike((given as Record<string, unknown>)[rename(name)], member, `${path}.${name}`);
    }
  }
}

/** Read by no client (publisher-api.md 3.1, 3.6), or empty where there are no devices (3.15). */
const OPTIONAL = new Set(['display_name', 'channel_map', '_links', 'buckets', 'series']);
const rename = (name: string): string => (name === 'realdemo' ? 'acme-dashboard' : name);

describe('what a real snapcraft sent', () => {
  it.each(exchanges)('exchange $n: $label', async (exchange) => {
    const { n, label, request, response } = exchange;
    if (request.uri === '/unscanned-upload/') {
      expect(request.headers['Authorization']).toBeUndefined();
      file = files.shift() ?? '';
      uploadId = await snapcraft.sendFile(SNAPS + file);
      return;
    }
    if (n === 2) {
      // The discharge needs the caveat of this store's own root; with it the client has its credentials.
      expect((await snapcraft.login('pub@example.com', PASSWORD)).status).toBe(200);
      return;
    }
    if (request.uri.includes('/builds/') && response.body.text.includes('ready_to_release'))
      await store.drainReviews();
    const answer = await replay(exchange);
    expect(answer.status).toBe(OTHER_STATUS[label] ?? response.status);
    if (OTHER_STATUS[label] === undefined) {
      expectLike(answer.json(), JSON.parse(response.body.text) as unknown, label);
    }
    if (label === 'register') snapId = String(answer.json()['snap_id']);
    const { status_details_url: url } = answer.json();
    if (typeof url === 'string') statusUrl = url;
  });
});
