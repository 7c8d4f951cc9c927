import { createHmac, randomUUID, sign as signBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localSigner } from '#libs/assertions';
import { mintDeviceSession } from '#libs/auth';
import { Device, Model, shiftClock } from '#libs/database';
import { deviceSessionKey, keepAssertion } from '#libs/operations';
import type { ScriptedDevice } from '../../tools/clients/device.js';
import { ask, type Answer } from '../../tools/clients/http.js';
import { DeviceStore, makeSigner, type TestBrand, type TestSnap } from './support/device-store.js';
import { install, postRefresh, refresh, sessionHeader } from './support/refreshing.js';
import { makeDevice, makeModel } from './support/test-device.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

const HOUR_MS = 3_600_000;

let store: DeviceStore;
let acme: TestBrand;
let other: TestBrand;
let snap: TestSnap;

beforeAll(async () => {
  store = await DeviceStore.start();
  acme = await store.brand('acme');
  other = await store.brand('other');
  snap = await store.snap(acme, 'acme-control-plane', { isProtected: true });
  await store.revision(snap, 1);
  await store.release(snap, 1);
  await store.compile(acme, other);
});
afterAll(() => store.stop());

const nonces = () => ask(`${store.url}/api/v1/snaps/auth/nonces`, { method: 'POST' });
const emptyRefresh = (session: string, more: Record<string, string> = {}) =>
  postRefresh(store.url, { actions: [], headers: { ...sessionHeader(session), ...more } });
const mustRenew = ({ status, headers }: Answer): boolean =>
  status === 401 && headers.get('www-authenticate') === 'Macaroon refresh_device_session=1';

/** Any refusal must look like any other. */
const REFUSED = {
  status: 400,
  body: {
    'error-list': [
      {
        code: 'device-session-refused',
        message: 'cannot open a device session with these assertions',
      },
    ],
  },
};
const seen = (answer: Answer) => ({ status: answer.status, body: answer.json<unknown>() });

async function opened(brand = acme): Promise<ScriptedDevice> {
  const device = await makeDevice(store, brand);
  await device.openSession();
  return device;
}

describe('nonces and sessions', () => {
  it('D67 an empty POST gives a nonce, two calls give two', async () => {
    const [one, two] = [await nonces(), await nonces()];
    expect([one.status, one.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(one.json<{ nonce: string }>().nonce).toMatch(/^[A-Za-z0-9_-]{20,}$/);
    expect(one.text).not.toBe(two.text);
  });

  it('keeps nonces hashed only', async () => {
    const { nonce } = (await nonces()).json<{ nonce: string }>();
    const rows = await store.resources.db.asSystem((tx) =>
      tx.query<{ n: string }[]>(
        `SELECT count(*) AS n FROM store.device_nonces WHERE nonce_hash = $1`,
        [nonce],
      ),
    );
    expect(rows[0]?.n).toBe('0');
  });

  it('D68 model, serial and signed nonce open a session', async () => {
    const device = await makeDevice(store, acme);
    const answer = await device.requestSession();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(answer.json<{ macaroon: string }>().macaroon).toMatch(/^[^"\s]+$/);
  });

  it('gives a device its uid once', async () => {
    const device = await opened();
    await device.openSession();
    const rows = await store.resources.db.asSystem((tx) =>
      tx.findBy(Device, { serial: device.serialNumber }),
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      serialAuthorityId: acme.id,
      storeId: acme.storeId,
      architecture: 'amd64',
    });
  });

  it('D69 a used, foreign or old nonce is refused', async () => {
    const device = await makeDevice(store, acme);
    const nonce = await device.nonce();
    expect((await device.requestSession({ nonce })).status).toBe(200);
    expect(seen(await device.requestSession({ nonce }))).toEqual(REFUSED);
    expect(seen(await device.requestSession({ nonce: 'made-up' }))).toEqual(REFUSED);
    const old = await device.nonce();
    await shiftClock(store.databaseUrls.owner, HOUR_MS);
    expect(seen(await device.requestSession({ nonce: old }))).toEqual(REFUSED);
    await shiftClock(store.databaseUrls.owner, 0);
  });

  it('of two requests with one nonce exactly one opens a session', async () => {
    const device = await makeDevice(store, acme);
    const nonce = await device.nonce();
    const answers = await Promise.all([1, 2, 3, 4].map(() => device.requestSession({ nonce })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
  });

  it('D71 a clock that is years off does not matter', async () => {
    const device = await makeDevice(store, acme);
    for (const timestamp of ['2016-02-03T04:05:06Z', '2041-01-01T00:00:00Z']) {
      expect((await device.requestSession({ claim: { timestamp } })).status).toBe(200);
    }
  });

  it('D73 an old session beside the request is tolerated, valid or not', async () => {
    const device = await opened();
    expect((await device.requestSession()).status).toBe(200);
    device.session = 'AAAA-not-a-session';
    expect((await device.requestSession()).status).toBe(200);
  });
});

describe('who cannot prove it gets no session, and all are answered alike', () => {
  const cases: Record<string, () => Promise<Answer>> = {
    'a request signed by another key': async () =>
      (await makeDevice(store, acme)).requestSession({ signer: makeSigner() }),
    'another serial number in the request': async () =>
      (await makeDevice(store, acme)).requestSession({ claim: { serial: 'SN-other' } }),
    'another model in the request': async () =>
      (await makeDevice(store, acme)).requestSession({ claim: { model: 'gateway-2' } }),
    'a request that was changed after it was signed': async () => {
      const claim = { timestamp: '2026-01-01T00:00:00Z' };
      const papers = await (await makeDevice(store, acme)).sessionPapers({ claim });
      return ask(`${store.url}/api/v1/snaps/auth/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: papers.replace(claim.timestamp, '2026-01-02T00:00:00Z'),
      });
    },
    'another brand in the request': async () =>
      (await makeDevice(store, acme)).requestSession({ claim: { 'brand-id': other.id } }),
    'the serial of another device': async () => {
      const [one, two] = [await makeDevice(store, acme), await makeDevice(store, acme)];
      return one.requestSession({ serial: two.serial?.bytes.toString() ?? '' });
    },
    'a model of another brand': async () => {
      const model = await makeModel(store, other);
      return (await makeDevice(store, acme)).requestSession({ model: model.bytes.toString() });
    },
    'another model of the brand': async () => {
      const model = await makeModel(store, acme, { model: 'gateway-2' });
      return (await makeDevice(store, acme)).requestSession({ model: model.bytes.toString() });
    },
    'a tampered model': async () => {
      const device = await makeDevice(store, acme);
      const model = device.options.model.bytes.toString().replace(acme.storeId, other.storeId);
      return device.requestSession({ model });
    },
    'a tampered serial': async () => {
      const device = await makeDevice(store, acme);
      const serial = (device.serial?.bytes.toString() ?? '').replace(
        'model: gateway',
        'model: gatewaz',
      );
      return device.requestSession({ serial, claim: { model: 'gatewaz' } });
    },
    'a serial signed by a key that nobody registered': async () =>
      (await makeDevice(store, acme, { serialSigner: makeSigner() })).requestSession(),
    'a serial signed by another brand in its own name': async () =>
      (
        await makeDevice(store, acme, {
          serialSigner: other.signer,
          serial: { 'authority-id': other.id },
        })
      ).requestSession(),
    'a serial signed by another brand in the name of this one': async () =>
      (await makeDevice(store, acme, { serialSigner: other.signer })).requestSession(),
    'a model that names a store of another brand': async () =>
      (await makeDevice(store, acme, { model: { store: other.storeId } })).requestSession(),
    'texts that are no assertions': async () =>
      (await makeDevice(store, acme)).requestSession({ model: 'type: model\n\nnothing' }),
  };

  it.each(Object.entries(cases))('D70 refuses %s', async (_, attempt) => {
    expect(seen(await attempt())).toEqual(REFUSED);
  });

  it('a serial signed by an account that the model lists is accepted, but opens no protected snap (S29)', async () => {
    const model = { 'serial-authority': [other.id] };
    const serial = { 'authority-id': other.id };
    const device = await makeDevice(store, acme, { model, serial, serialSigner: other.signer });
    await device.openSession();
    const result = await install(store.url, { name: snap.name }, sessionHeader(device.session));
    expect(result.error?.code).toBe('name-not-found');
  });

  it('a model signed with a key that has ended, or a model that is switched off, opens no session (S13)', async () => {
    const brand = await store.brand('ended');
    const ended = makeSigner();
    const key = await store.keyAssertion(brand.id, 'old', ended, undefined, {
      until: '2026-02-01T00:00:00Z',
    });
    await store.resources.db.asSystem((tx) => keepAssertion(tx, key));
    const stale = await makeDevice(store, { ...brand, signer: ended });
    expect(seen(await stale.requestSession())).toEqual(REFUSED);
    const device = await makeDevice(store, brand);
    await store.resources.db.asBrand(brand.id, (tx) =>
      tx.insert(Model, {
        brandId: brand.id,
        model: 'gateway',
        revision: 0,
        signKeyId: brand.signer.publicKey.id,
        bytes: device.options.model.bytes,
        isActive: false,
      }),
    );
    expect(seen(await device.requestSession())).toEqual(REFUSED);
  });

  it('a body of other types is refused with what is wrong', async () => {
    const answer = await ask(`${store.url}/api/v1/snaps/auth/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ 'device-session-request': 5, 'serial-assertion': [] }),
    });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('device-session-request');
  });
});

describe('using a session', () => {
  it('D72 an expired or unknown session is told to renew, and one round recovers', async () => {
    const device = await opened();
    const { settings, db } = store.resources;
    const row = await db.asSystem((tx) =>
      tx.findOneByOrFail(Device, { serial: device.serialNumber }),
    );
    // Of a device that is there, so that nothing but its own fault is in the way of each.
    const identity = {
      deviceUid: row.uid,
      brandId: acme.id,
      model: 'gateway',
      serial: device.serialNumber,
      storeId: acme.storeId,
      deviceKeyId: device.signer.publicKey.id,
    };
    const key = deviceSessionKey(settings);
    const ago = (hours: number) => new Date(db.clock.now().getTime() - hours * HOUR_MS);
    const foreign = { id: 's1', secret: createHmac('sha256', 'other').digest() };
    const bad = [
      'AAAA-not-a-session',
      mintDeviceSession(identity, key, ago(7 * 24)),
      mintDeviceSession(identity, foreign, ago(0)),
      mintDeviceSession({ ...identity, deviceUid: randomUUID() }, key, ago(0)), // not there
    ];
    expect((await emptyRefresh(mintDeviceSession(identity, key, ago(0)))).status).toBe(200);
    for (const session of bad) {
      for (const name of ['snap-device-authorization', 'x-device-authorization']) {
        const headers = {
          [name]: `Macaroon root="${session}"`,
          'content-type': 'application/json',
        };
        const post = (path: string, body: unknown) =>
          ask(store.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
        const answers = [
          await postRefresh(store.url, { actions: [], headers }),
          await post('/v2/cohorts', { snaps: [snap.name] }),
          await post('/v2/messages', { limit: 1 }),
        ];
        for (const path of [
          `/v2/assertions/snap-revision/${'A'.repeat(64)}`,
          '/v2/assertion-streams?wanted=x',
          `/v2/snaps/info/${snap.name}`,
          '/v2/snaps/find?q=acme',
          '/v2/snaps/categories',
          `/api/v1/snaps/download/${snap.id}_1.snap`,
          '/api/v1/snaps/sections',
          '/api/v1/snaps/names',
          '/api/v1/snaps/search?q=acme',
          '/api/v1/snaps/purchases/orders',
        ])
          answers.push(await ask(store.url + path, { headers: { [name]: headers[name] ?? '' } }));
        expect(answers.map(mustRenew)).toEqual(answers.map(() => true));
        for (const answer of answers)
          expect(answer.headers.get('content-type')).toBe('application/json');
      }
    }
    device.session = bad[0] ?? '';
    await device.openSession();
    expect((await emptyRefresh(device.session)).status).toBe(200);
  });

  it('D46 past the soft expiry results come with the wish to renew', async () => {
    const device = await opened();
    await shiftClock(store.databaseUrls.owner, 25 * HOUR_MS);
    await expect
      .poll(() => store.resources.db.clock.aheadMs, { timeout: 5000 })
      .toBeGreaterThan(24 * HOUR_MS);
    const { results, ...rest } = await refresh(store.url, {
      actions: [{ action: 'install', 'instance-key': 'install-1', name: snap.name, epoch: null }],
      headers: sessionHeader(device.session),
    });
    expect(results[0]).toMatchObject({ result: 'install', snap: { revision: 1 } });
    expect(rest['error-list']).toMatchObject([{ code: 'device-authorization-needs-refresh' }]);
    await shiftClock(store.databaseUrls.owner, 0);
    await expect
      .poll(() => store.resources.db.clock.aheadMs, { timeout: 5000 })
      .toBeLessThan(HOUR_MS);
  });

  it('D75 a session of one store is refused at another', async () => {
    const device = await opened();
    expect(
      mustRenew(await emptyRefresh(device.session, { 'snap-device-store': other.storeId })),
    ).toBe(true);
    expect((await emptyRefresh(device.session, { 'snap-device-store': acme.storeId })).status).toBe(
      200,
    );
    const path = `/api/v1/snaps/download/${snap.id}_1.snap`;
    const headers = {
      'x-device-authorization': `Macaroon root="${device.session}"`,
      'x-ubuntu-store': other.storeId,
    };
    expect(mustRenew(await ask(store.url + path, { headers }))).toBe(true);
  });

  it('D74 without a session public content is served, and protected is not there', async () => {
    const open = await store.snap(acme, 'acme-open');
    await store.revision(open, 1);
    await store.release(open, 1);
    await store.compile(acme);
    expect((await install(store.url, { name: 'acme-open' })).result).toBe('install');
    expect((await install(store.url, { name: snap.name })).error?.code).toBe('name-not-found');
    expect((await ask(`${store.url}/v2/assertions/account/${acme.id}?max-format=0`)).status).toBe(
      200,
    );
    for (const [one, status, download] of [
      [open, 200, 302],
      [snap, 404, 404],
    ] as const) {
      const statusOf = async (path: string) => (await ask(store.url + path)).status;
      expect([
        await statusOf(`/v2/snaps/info/${one.name}`),
        await statusOf(`/v2/assertions/snap-declaration/16/${one.id}?max-format=0`),
        await statusOf(`/api/v1/snaps/download/${one.id}_1.snap`),
      ]).toEqual([status, status, download]);
    }
    for (const path of ['/v2/snaps/find?q=acme', '/api/v1/snaps/names']) {
      const { text } = await ask(store.url + path);
      expect([text.includes(open.name), text.includes(snap.name)]).toEqual([true, false]);
    }
  });
});

describe('revocation', () => {
  interface Event {
    readonly kind: 'revoked' | 'superseded';
    readonly device: ScriptedDevice;
    readonly id?: string;
    readonly brandId?: string;
  }
  const vaultKey = cheapKey();
  const vaultSigner = localSigner(vaultKey);

  beforeAll(async () => {
    const key = await store.keyAssertion(acme.id, 'vault', vaultSigner);
    await store.resources.db.asSystem((tx) => keepAssertion(tx, key));
  });

  function post(
    { kind, device, id = randomUUID(), brandId = acme.id }: Event,
    tamper = '',
  ): Promise<Answer> {
    const body = JSON.stringify({
      id,
      kind,
      'brand-id': brandId,
      model: 'gateway',
      serial: device.serialNumber,
      'device-key-sha3-384': device.signer.publicKey.id,
      at: new Date().toISOString(),
      reason: 'lost',
    });
    return ask(`${store.url}/api/v1/vault/events`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'vault-key': vaultSigner.publicKey.id,
        'vault-signature': signBytes('sha512', Buffer.from(body), vaultKey).toString('base64'),
      },
      body: body + tamper,
    });
  }

  it('a revoked device loses its session at once, and gets no other (S39)', async () => {
    const device = await opened();
    const id = randomUUID();
    expect((await post({ kind: 'revoked', device, id })).status).toBe(204);
    expect(mustRenew(await emptyRefresh(device.session))).toBe(true);
    expect(seen(await device.requestSession())).toEqual(REFUSED);
    expect((await post({ kind: 'revoked', device, id })).status).toBe(204);
  });

  it('V45 a superseded key ends, the same serial with its new key goes on', async () => {
    const device = await opened();
    expect((await post({ kind: 'superseded', device })).status).toBe(204);
    expect(mustRenew(await emptyRefresh(device.session))).toBe(true);
    const reissued = await makeDevice(store, acme, { serial: { serial: device.serialNumber } });
    await reissued.openSession();
    expect((await emptyRefresh(reissued.session)).status).toBe(200);
  });

  it('another process hears of it within five seconds', async () => {
    const device = await opened();
    await store.resources.db.asSystem((tx) =>
      tx.query(
        `INSERT INTO store.device_revocations (event_id, brand_id, model, serial, reason)
         VALUES ($1, $2, 'gateway', $3, 'told by another process')`,
        [randomUUID(), acme.id, device.serialNumber],
      ),
    );
    await expect
      .poll(async () => mustRenew(await emptyRefresh(device.session)), { timeout: 5000 })
      .toBe(true);
  });

  it('only a key of the brand itself is listened to', async () => {
    const device = await opened();
    const theirs = await opened(other);
    expect((await post({ kind: 'revoked', device }, ' ')).status).toBe(401);
    expect((await post({ kind: 'revoked', device: theirs, brandId: other.id })).status).toBe(401);
    const unsigned = await ask(`${store.url}/api/v1/vault/events`, { method: 'POST', body: '{}' });
    expect(unsigned.status).toBeGreaterThanOrEqual(400);
    expect((await emptyRefresh(device.session)).status).toBe(200);
    expect((await emptyRefresh(theirs.session)).status).toBe(200);
  });
});
