import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  decodeAssertions,
  localSigner,
  signAssertion,
  type Assertion,
  type Signer,
} from '#libs/assertions';
import { ScriptedDevice } from '../../tools/clients/device.js';
import { ask } from '../../tools/clients/http.js';
import { AdminStore, literal, type Result } from './support/admin-store.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

const SNAP = 'acme-dashboard';
const LIMIT_MS = 5_000;
const signer = (): Signer => localSigner(cheapKey());
const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

describe('brakes, seen by devices on the wire', () => {
  let store: AdminStore;
  let brandKey: Signer;
  let model: Assertion;
  let trusted: readonly Assertion[];
  let fleetId: string;

  beforeAll(async () => {
    store = await AdminStore.start();
    await store.publish(SNAP, 3);
    brandKey = signer();
    await store.publisher.registerKey('models', brandKey);
    trusted = decodeAssertions(await readFile(store.installation.store.rootAssertions));
    const { brand } = await store.planner.ask<{ brand: { stores: { id: string }[] } }>(
      `brand(brand: "${store.brand}") { stores { id } }`,
    );
    model = await signAssertion(
      {
        type: 'model',
        headers: {
          'authority-id': store.brand,
          series: '16',
          'brand-id': store.brand,
          model: 'acme-device-1',
          architecture: 'amd64',
          gadget: 'acme-gadget',
          kernel: 'acme-kernel',
          store: brand.stores[0]?.id,
          timestamp: now(),
        },
      },
      brandKey,
      new Date(),
    );
    await store.planner.act(
      `registerModel(brand: "${store.brand}", assertion: ${JSON.stringify(model.bytes.toString())})`,
    );
    fleetId = await store.createFleet('all', 1, ['part', 'yes']);
  });
  afterAll(() => store?.stop());

  /** A device with a serial of the brand, a session, revision 1 installed, and its uid. */
  async function device(serial: string): Promise<{ device: ScriptedDevice; uid: string }> {
    const key = signer();
    const { storeUrl, vaultUrl } = store.installation;
    const one = new ScriptedDevice({
      storeUrl,
      vaultUrl,
      model,
      key,
      proposedSerial: serial,
      trusted,
    });
    one.serial = await signAssertion(
      {
        type: 'serial',
        headers: {
          'authority-id': store.brand,
          'brand-id': store.brand,
          model: 'acme-device-1',
          serial,
          'device-key': key.publicKey.encoded,
          'device-key-sha3-384': key.publicKey.id,
          timestamp: now(),
        },
      },
      brandKey,
      new Date(),
    );
    await one.openSession();
    await one.fetchAndInstall(await one.install(SNAP));
    const { devices } = await store.planner.ask<{
      devices: { edges: { node: { uid: string } }[] };
    }>(
      `devices(brand: "${store.brand}", filter: {serial: "${serial}"}) { edges { node { uid } } }`,
    );
    return { device: one, uid: devices.edges[0]?.node.uid ?? '' };
  }

  const offered = async (one: ScriptedDevice): Promise<number | undefined> =>
    (await one.poll(SNAP)).snap?.revision;

  /** Milliseconds until a poll is answered so. */
  async function takes(isSo: () => Promise<boolean>): Promise<number> {
    const start = Date.now();
    while (!(await isSo())) {
      if (Date.now() - start > LIMIT_MS) throw new Error(`not so after ${LIMIT_MS} ms`);
      await sleep(50);
    }
    return Date.now() - start;
  }

  const act = (call: string, selection: string, who = store.planner): Promise<Result> =>
    who.act(call, selection);
  const pin = (input: object): Promise<Result> =>
    act(`pin(brand: "${store.brand}", input: ${literal(input)})`, '... on Pin { id }');
  const stop = (input: object): Promise<Result> => {
    const { scope, ...rest } = input as { scope: string };
    return act(
      `stop(brand: "${store.brand}", input: {scope: ${scope}, ${literal(rest).slice(1)})`,
      '... on EmergencyStop { id level }',
    );
  };

  it('S32 one act puts a revision on one device now, one act takes it back', async () => {
    const { device: one, uid } = await device('one');
    const { device: two } = await device('two');
    const made = await pin({ deviceUid: uid, snap: SNAP, revision: 2, reason: 'field test' });
    expect(made.__typename).toBe('Pin');
    await takes(async () => (await offered(one)) === 2);
    expect(await offered(two)).toBe(1);
    const lifted = await act(
      `unpin(brand: "${store.brand}", id: "${made.id}", reason: "not yet")`,
      '... on Pin { id }',
    );
    expect(lifted).toMatchObject({ __typename: 'Pin', id: made.id });
    await takes(async () => (await offered(one)) === 1);
    // The same for a device that has it already: what it goes back to is said.
    const again = await pin({ deviceUid: uid, snap: SNAP, revision: 2, reason: 'field test' });
    await takes(async () => (await offered(one)) === 2);
    expect((await one.fetchAndInstall(await one.poll(SNAP))).checked.length).toBeGreaterThan(3);
    expect(
      await act(`unpin(brand: "${store.brand}", id: "${again.id}", reason: "done")`, ''),
    ).toMatchObject({ __typename: 'Pin' });
    expect(
      await act(`unpin(brand: "${store.brand}", id: "${again.id}", reason: "again")`, ''),
    ).toMatchObject({ __typename: 'Conflict' });
    const back = await pin({
      deviceUid: uid,
      snap: SNAP,
      revision: 1,
      allowDowngrade: true,
      reason: 'taken back',
    });
    await takes(async () => (await offered(one)) === 1);
    await act(`unpin(brand: "${store.brand}", id: "${back.id}", reason: "done")`, '');
  });

  it('a pin that can never be served is refused at once', async () => {
    const { uid } = await device('pinned');
    expect(await pin({ deviceUid: uid, snap: SNAP, revision: 99, reason: 'x' })).toMatchObject({
      __typename: 'NotFound',
    });
    expect(
      await pin({ deviceUid: uid, snap: SNAP, revision: 2, architecture: 's390x', reason: 'x' }),
    ).toMatchObject({ __typename: 'Invalid' });
    expect(
      await pin({ deviceUid: uid, fleetId, snap: SNAP, revision: 2, reason: 'x' }),
    ).toMatchObject({ __typename: 'Invalid' });
    expect(await pin({ deviceUid: uid, snap: SNAP, revision: 2, reason: ' ' })).toMatchObject({
      __typename: 'Invalid',
    });
  });

  it('a hold keeps devices where they are until it is lifted', async () => {
    const { device: one, uid } = await device('held');
    const pinned = await pin({ deviceUid: uid, snap: SNAP, revision: 2, reason: 'a newer one' });
    await takes(async () => (await offered(one)) === 2);
    const hold = (input: object): Promise<Result> =>
      act(`hold(brand: "${store.brand}", input: ${literal(input)})`, '... on Hold { id scope }');
    expect(await hold({ reason: 'year-end freeze' })).toMatchObject({
      __typename: 'Invalid',
      problems: [{ path: 'until' }],
    });
    expect(await hold({ reason: 'late', until: '2020-01-01T00:00:00Z' })).toMatchObject({
      __typename: 'Invalid',
    });
    const held = await hold({ reason: 'year-end freeze', until: '2999-01-01T00:00:00Z' });
    expect(held).toMatchObject({ scope: 'brand' });
    await takes(async () => (await offered(one)) === 1);
    expect((await store.explain(uid)).reasons[0]?.code).toBe('HELD_BRAND');
    await act(`liftHold(brand: "${store.brand}", id: "${held.id}", reason: "new year")`, '');
    await takes(async () => (await offered(one)) === 2);
    await act(`unpin(brand: "${store.brand}", id: "${pinned.id}", reason: "done")`, '');
  });

  it('a stop reaches devices within 5 s at all three levels, and only another approver lets go', async () => {
    const { device: one, uid } = await device('stopped');
    await pin({ deviceUid: uid, snap: SNAP, revision: 2, reason: 'a newer one' });
    await takes(async () => (await offered(one)) === 2);
    const result = await one.poll(SNAP);
    const { url = '', 'sha3-384': hex = '' } = result.snap?.download ?? {};
    const digest = Buffer.from(hex, 'hex').toString('base64url');
    const snapId = result.snap?.['snap-id'] ?? '';
    const lift = (made: Result, who = store.approver): Promise<Result> =>
      act(`liftStop(brand: "${store.brand}", id: "${made.id}", reason: "understood")`, '', who);
    const download = async (): Promise<number> =>
      (
        await ask(url, {
          method: 'HEAD',
          headers: { 'snap-device-authorization': `Macaroon root="${one.session}"` },
        })
      ).status;
    const assertion = async (): Promise<number> =>
      (await one.assertion(`snap-revision/${digest}`)).status;

    const first = await stop({
      scope: 'revision',
      snap: SNAP,
      revision: 2,
      level: 1,
      reason: 'it bricks',
    });
    await takes(async () => (await offered(one)) === 1);
    expect([await download(), await assertion()]).toEqual([
      expect.toSatisfy((status: number) => status < 400),
      200,
    ]);
    expect(await lift(first, store.planner)).toMatchObject({ __typename: 'Forbidden' });
    const both = await store.addPerson('brake@acme.example', ['approver', 'operator']);
    const own = await both.act(
      `stop(brand: "${store.brand}", input: {scope: brand, level: 1, reason: "all of it"})`,
      '... on EmergencyStop { id }',
    );
    expect(await lift(own, both)).toMatchObject({ __typename: 'Forbidden' });
    expect(await lift(own)).toMatchObject({ __typename: 'EmergencyStop' });
    expect(await lift(first)).toMatchObject({ __typename: 'EmergencyStop' });
    await takes(async () => (await offered(one)) === 2);

    const second = await stop({
      scope: 'revision',
      snap: SNAP,
      revision: 2,
      level: 2,
      reason: 'it bricks',
    });
    await takes(async () => (await download()) === 403);
    expect(await assertion()).toBe(200);
    await lift(second);
    const third = await stop({ scope: 'snap', snap: SNAP, level: 3, reason: 'it bricks' });
    await takes(async () => (await assertion()) === 404);
    await lift(third);
    await takes(async () => (await assertion()) === 200);
    expect(snapId).not.toBe('');
    expect(await stop({ scope: 'revision', snap: SNAP, level: 1, reason: 'x' })).toMatchObject({
      __typename: 'Invalid',
    });
    expect(await stop({ scope: 'brand', level: 4, reason: 'x' })).toMatchObject({
      __typename: 'Invalid',
    });
  });

  it('a withdrawn revision is offered to nobody, and cannot be rolled out', async () => {
    const { device: one, uid } = await device('yanked');
    await pin({ deviceUid: uid, snap: SNAP, revision: 3, reason: 'a newer one' });
    await takes(async () => (await offered(one)) === 3);
    const yank = `yankRevision(brand: "${store.brand}", snap: "${SNAP}", revision: 3, reason: "wrong firmware inside")`;
    expect(
      await act(yank, '... on Revision { revision yankReason }', store.approver),
    ).toMatchObject({ __typename: 'Forbidden' });
    expect(await act(yank, '... on Revision { revision yankReason }')).toMatchObject({
      revision: 3,
      yankReason: 'wrong firmware inside',
    });
    await takes(async () => (await offered(one)) === 1);
    const refused = await store.createRollout({ fleetId, revision: 3 });
    expect(refused.problems?.[0]?.message).toContain('withdrawn');
    const { snaps } = await store.planner.ask<{
      snaps: {
        edges: { node: { revisions: { revision: number; yankReason: string | null }[] } }[];
      };
    }>(`snaps(brand: "${store.brand}") { edges { node { revisions { revision yankReason } } } }`);
    expect(snaps.edges[0]?.node.revisions.map(({ yankReason }) => yankReason)).toEqual([
      null,
      null,
      'wrong firmware inside',
    ]);
  });
});
