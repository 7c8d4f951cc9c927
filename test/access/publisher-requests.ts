import { signAssertion } from '#libs/assertions';
import { act, get, json, query, type Template } from './request.js';

const PUSH = '/dev/api/snap-push/';

/** With its own key, for another's account (publisher-api.md 3.12). */
const accountKey: Template = {
  name: 'account-key',
  by: 'publisher',
  acts: true,
  make: async ({ named, own }) => {
    const { publicKey } = own.signer;
    const headers = {
      'account-id': named.brand,
      name: 'spare',
      'public-key-sha3-384': publicKey.id,
      since: '2026-01-01T00:00:00Z',
    };
    const body = Buffer.from(publicKey.encoded);
    const draft = { type: 'account-key-request' as const, headers, body };
    const request = await signAssertion(draft, own.signer, new Date());
    return json('POST', '/dev/api/account/account-key', {
      account_key_request: request.bytes.toString(),
    });
  },
};

/** Names of snaps are one list for all: that a name is taken shows, whose it is does not. */
const registerName: Template = {
  ...act(
    'publisher',
    'register-name',
    () => '/dev/api/register-name/',
    ({ snap }) => ({ snap_name: snap, series: '16' }),
  ),
  isShared: true,
};

/** All that `snapcraft` can name. */
export const PUBLISHER: readonly Template[] = [
  get('publisher', 'account', () => '/dev/api/account'),
  get('publisher', 'whoami', () => '/api/v2/tokens/whoami'),
  get('publisher', 'channel map', ({ snap }) => `/api/v2/snaps/${snap}/channel-map`),
  get('publisher', 'releases', ({ snap }) => `/api/v2/snaps/${snap}/releases`),
  get('publisher', 'state', ({ snapId }) => `/dev/api/snaps/${snapId}/state`),
  get(
    'publisher',
    'status of an upload',
    ({ snapId, upload }) => `/dev/api/snaps/${snapId}/builds/${upload}/status`,
  ),
  get(
    'publisher',
    'status of an upload under an own snap',
    ({ upload }, { snapId }) => `/dev/api/snaps/${snapId}/builds/${upload}/status`,
  ),
  get('publisher', 'icon', ({ snapId }) => `/dev/api/snaps/${snapId}/binary-metadata`),
  get('publisher', 'validations', ({ snapId }) => `/dev/api/snaps/${snapId}/validations`),
  query(
    'publisher',
    'metrics',
    () => '/dev/api/snaps/metrics',
    ({ snapId }) => ({
      filters: [
        {
          snap_id: snapId,
          metric_name: 'installed_base_by_channel',
          start: '2026-01-01',
          end: '2999-01-01',
        },
      ],
    }),
  ),
  query(
    'publisher',
    'draft of a validation set',
    () => '/api/v2/validation-sets/build-assertion',
    ({ snap }, { brand }) => ({
      'account-id': brand,
      name: 'set',
      sequence: 1,
      snaps: [{ name: snap, presence: 'required' }],
    }),
  ),
  query(
    'publisher',
    'draft of a confdb schema',
    () => '/api/v2/confdb-schemas/build-assertion',
    ({ brand }) => ({
      'account-id': brand,
      name: 'wifi',
      views: { all: { rules: [] } },
      body: '{}',
    }),
  ),
  act(
    'publisher',
    'release',
    () => '/dev/api/snap-release/',
    ({ snap }) => ({ name: snap, revision: '1', channels: ['edge'] }),
  ),
  act(
    'publisher',
    'close',
    ({ snapId }) => `/dev/api/snaps/${snapId}/close`,
    () => ({ channels: ['beta'] }),
  ),
  ...(['POST', 'PUT'] as const).map((method) =>
    act(
      'publisher',
      `metadata, ${method}`,
      ({ snapId }) => `/dev/api/snaps/${snapId}/metadata`,
      ({ word }) => ({ title: word }),
      method,
    ),
  ),
  query(
    'publisher',
    'push, dry run',
    () => PUSH,
    ({ snap }) => ({ name: snap, dry_run: true }),
  ),
  act(
    'publisher',
    'push of bytes that others sent',
    () => PUSH,
    ({ blob }, { snap }) => ({ name: snap, updown_id: blob, binary_filesize: 5000 }),
  ),
  act(
    'publisher',
    'build',
    ({ snapId }) => `/dev/api/snaps/${snapId}/builds`,
    () => ({ assertion: 'type: snap-build' }),
  ),
  accountKey,
  registerName,
];
