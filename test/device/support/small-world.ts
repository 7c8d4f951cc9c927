import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RevisionIcon } from '#libs/database';
import type { ScriptedDevice } from '../../../tools/clients/device.js';
import { DEVICE_ROUTES, plainCall, send, type Call } from './device-calls.js';
import { DeviceStore, type TestBrand, type TestSnap } from './device-store.js';
import { levelHeaders, type Said } from './real-headers.js';
import { makeDevice } from './test-device.js';

export const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
const ICON = createHash('sha256').update(SVG).digest('hex');

/** A store with a private snap of ACME's, seen by ACME's device only, and a public one of another brand's. */
export interface World {
  readonly store: DeviceStore;
  readonly acme: TestBrand;
  readonly globex: TestBrand;
  readonly secret: TestSnap;
  readonly open: TestSnap;
  readonly device: ScriptedDevice;
  readonly own: Said;
  stop(): Promise<void>;
}

/** Stands where a vault would; the vault itself is tried in its own tests. */
async function startVault(): Promise<{ server: Server; url: string }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"request-id":"REQ-1"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** To be stopped by its own `stop`. */
export async function makeWorld(
  settings: Parameters<typeof DeviceStore.start>[0] = {},
): Promise<World> {
  const vault = await startVault();
  const store = await DeviceStore.start({ vaultUrl: vault.url, ...settings });
  const acme = await store.brand('acme');
  const globex = await store.brand('globex');
  const secret = await store.snap(acme, 'secret-app', { isPrivate: true });
  const open = await store.snap(globex, 'open-app');
  const onArm = await store.snap(acme, 'arm-app', { isPrivate: true });
  for (const snap of [secret, open]) {
    await store.revision(snap, 1);
    await store.release(snap, 1);
  }
  await store.revision(onArm, 1, { architectures: ['arm64'] });
  await store.release(onArm, 1, 'latest/stable', ['arm64']);
  await store.resources.db.asSystem((tx) =>
    tx.insert(RevisionIcon, {
      ...{ snapId: secret.id, revision: 1, brandId: acme.id },
      ...{ sha256: ICON, format: 'svg', bytes: SVG },
    }),
  );
  await store.compile(acme, globex);
  const device = await makeDevice(store, acme);
  await device.openSession();
  const own = { session: device.session, store: acme.storeId };
  const stop = async (): Promise<void> => {
    await store.stop();
    vault.server.closeAllConnections();
    vault.server.close();
  };
  return { store, acme, globex, secret, open, device, own, stop };
}

/** The link to the blob behind a download, which is a path of the store where blobs are files. */
async function blobLink({ store, secret, own }: World): Promise<string> {
  const path = `/api/v1/snaps/download/${secret.id}_1.snap`;
  const { headers } = await send(store.url, { method: 'GET', path, headers: levelHeaders(1, own) });
  const { pathname, search } = new URL(headers.location ?? '');
  return `${pathname.slice(pathname.indexOf('/blobs/'))}${search}`;
}

export const install = (name: string) => ({
  context: [],
  actions: [{ action: 'install', 'instance-key': 'install-1', name, epoch: null }],
});

/** A call that succeeds, for the routes that have one without more ado; the others say that there is nothing, or refuse. */
export async function goodCalls(of: World, userAgent?: string): Promise<Map<string, Call>> {
  const { acme, secret, own } = of;
  const wanted = Buffer.from(
    JSON.stringify({ items: [['snap-declaration', '16', secret.id]], formats: {} }),
  ).toString('base64url');
  const post = (body: unknown): Partial<Call> => ({
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  const paths: Readonly<Record<string, string | Partial<Call>>> = {
    'POST /v2/snaps/refresh': post(install('secret-app')),
    'GET /v2/snaps/info/:name': '/v2/snaps/info/secret-app',
    'GET /v2/snaps/find': '/v2/snaps/find?q=secret',
    'GET /v2/assertions/*': `/v2/assertions/snap-declaration/16/${secret.id}`,
    'GET /v2/assertion-streams': `/v2/assertion-streams?wanted=${wanted}`,
    'GET /api/v1/snaps/download/:file': `/api/v1/snaps/download/${secret.id}_1.snap`,
    'GET /api/v1/snaps/icons/:file': `/api/v1/snaps/icons/${ICON}.svg`,
    'GET /blobs/*': await blobLink(of),
    'POST /v2/cohorts': { body: '{"snaps":["secret-app"]}', headers: {} },
    'POST /v2/messages': post({ limit: 10 }),
    'POST /api/v1/snaps/auth/nonces': { body: '', headers: {} },
    'POST /api/v1/snaps/auth/request-id': { body: '', headers: {} },
    'POST /api/v1/snaps/auth/devices': {
      body: `type: serial-request\nbrand-id: ${acme.id}\n\nsig\n`,
      headers: { 'content-type': 'application/x.ubuntu.assertion' },
    },
  };
  const calls = DEVICE_ROUTES.map((route): [string, Call] => {
    const known = paths[route] ?? {};
    const call = { ...plainCall(route), ...(typeof known === 'string' ? { path: known } : known) };
    // The level does not follow the path: both are sent (device-api.md 0.3).
    const said = { ...levelHeaders(1, own, userAgent), ...levelHeaders(2, own, userAgent) };
    return [route, { ...call, headers: { ...said, ...call.headers } }];
  });
  return new Map(calls);
}
