import { signAssertion } from '#libs/assertions';
import { get, json, query, type Template, type Things } from './request.js';

const FIELDS = ['name', 'revision', 'snap-id', 'download', 'publisher', 'version'];
const REFRESH = '/v2/snaps/refresh';

const installed = ({ snapId }: Things): object => ({
  'snap-id': snapId,
  'instance-key': 'one',
  revision: 1,
  'tracking-channel': 'latest/stable',
  epoch: { read: [0], write: [0] },
});

const refreshOf = (action: object, context: readonly object[] = []): object => ({
  fields: FIELDS,
  context,
  actions: [{ 'instance-key': 'one', ...action }],
});

const action = (name: string, make: (things: Things) => object): Template =>
  query(
    'device',
    `refresh: ${name}`,
    () => REFRESH,
    (things) => refreshOf(make(things)),
  );

/** What a device says that it has. */
const refresh: Template = {
  ...query(
    'device',
    'refresh',
    () => REFRESH,
    (things) => refreshOf({ action: 'refresh', 'snap-id': things.snapId }, [installed(things)]),
  ),
  isKept: true,
};

const install = { action: 'install', channel: 'latest/stable', epoch: null };
const download = { action: 'download', channel: 'latest/stable', epoch: null };
const file = ({ snapId }: Things): string => `/api/v1/snaps/download/${snapId}_1.snap`;

type Key = (things: Things) => readonly string[];
/** `account`, `account-key` and `store` are public (decisions 13), so nobody asks for them here. */
const ASSERTIONS: Readonly<Record<string, Key>> = {
  'snap-declaration': ({ snapId }) => ['16', snapId],
  'snap-revision': ({ sha3 }) => [sha3],
  model: ({ brand, model }) => ['16', brand, model],
  serial: ({ brand, model, serial }) => [brand, model, serial],
  'validation-set': ({ brand, word }) => ['16', brand, word, '1'],
};

const assertions = Object.entries(ASSERTIONS).flatMap(([type, key]) => [
  get(
    'device',
    `assertion ${type}`,
    (things) => `/v2/assertions/${type}/${key(things).join('/')}?max-format=9`,
  ),
  get('device', `stream of ${type}`, (things) => {
    const order = { items: [[type, ...key(things)]], formats: { [type]: 9 } };
    const wanted = Buffer.from(JSON.stringify(order)).toString('base64url');
    return `/v2/assertion-streams?wanted=${wanted}`;
  }),
]);

/** In the name of the store that the header says, which only counts without a session (device-api.md 1). */
const inStore: Template = {
  name: 'refresh: in the store of the header',
  by: 'device',
  acts: false,
  make: ({ named }) =>
    json('POST', REFRESH, refreshOf({ ...install, name: named.snap }), {
      'snap-device-store': named.store,
    }),
};

/** With its own key and serial, in another's name (device-api.md 2.5). */
const session: Template = {
  name: 'session',
  by: 'device',
  acts: true,
  make: async ({ named, own }) => {
    const nonce = await own.box.nonce();
    const headers = { 'brand-id': named.brand, model: named.model, serial: named.serial, nonce };
    const at = new Date();
    const timestamp = at.toISOString().replace(/\.\d+Z$/, 'Z');
    const { signer, serial, options } = own.box;
    const request = await signAssertion(
      { type: 'device-session-request', headers: { ...headers, timestamp } },
      signer,
      at,
    );
    return json('POST', '/api/v1/snaps/auth/sessions', {
      'device-session-request': request.bytes.toString(),
      'serial-assertion': serial?.bytes.toString(),
      'model-assertion': options.model.bytes.toString(),
    });
  },
};

/** All that devices and image tools can name. */
export const DEVICE: readonly Template[] = [
  action('install by name', ({ snap }) => ({ ...install, name: snap })),
  action('install by id', ({ snapId }) => ({ ...install, 'snap-id': snapId })),
  action('install a revision', ({ snap }) => ({ ...install, name: snap, revision: 1 })),
  action('download', ({ snap }) => ({ ...download, name: snap })),
  refresh,
  inStore,
  get('device', 'info', ({ snap }) => `/v2/snaps/info/${snap}?fields=name,channel-map,publisher`),
  get('device', 'find by words', ({ word }) => `/v2/snaps/find?q=${word}`),
  get('device', 'find by name', ({ snap }) => `/v2/snaps/find?name=${snap}`),
  get('device', 'names', () => '/api/v1/snaps/names'),
  query(
    'device',
    'cohorts',
    () => '/v2/cohorts',
    ({ snap }) => ({ snaps: [snap] }),
  ),
  get('device', 'bytes', file),
  get('device', 'bytes, HEAD', file, 'HEAD'),
  get('device', 'blob', ({ blob }) => `/blobs/snaps/${blob}`),
  get('device', 'standard model', ({ model }) => `/api/v1/standard-models/${model}`),
  ...assertions,
  session,
];
