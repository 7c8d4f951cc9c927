import { isDeepStrictEqual } from 'node:util';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { decodeAssertions, signAssertion, type Assertion, type Signer } from '#libs/assertions';
import { BrandAdmin } from '../../../tools/clients/brand-admin.js';
import { ScriptedDevice } from '../../../tools/clients/device.js';
import { Publisher } from '../../../tools/clients/publisher.js';
import { makeSigner } from '../../device/support/device-store.js';
import { waysTo, type Wanted } from '../../story/ways-in.js';
import { SNAPS, literal, type AdminStore, type Person, type Result } from './admin-store.js';

const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
const LIMIT = { timeout: 90_000, interval: 200 };

/** A brand with somebody who administers and publishes, and a key of its own for models and serials. */
export interface Tenant {
  readonly brandId: string;
  readonly storeId: string;
  readonly admin: Person;
  readonly publisher: Publisher;
  readonly signer: Signer;
}

/** What nobody has: the measure of "does not exist". */
const NEVER: Wanted = { name: 'no-such-snap', id: 'n'.repeat(32), digest: '0'.repeat(96) };

/** Tenants, their snaps and their devices over the public surfaces of one store. */
export class StoreWorld {
  private readonly trusted: readonly Assertion[];
  private readonly snaps = new Map<string, Wanted>();
  private lastSerial = 0;

  constructor(private readonly store: AdminStore) {
    this.trusted = decodeAssertions(readFileSync(store.installation.store.rootAssertions));
  }

  get url(): string {
    return this.store.installation.storeUrl;
  }

  /** `brandId` is that of an account with a store. */
  async tenant(brandId: string, name: string): Promise<Tenant> {
    const email = `${name}@${name}.example`;
    const admin = await this.store.addPerson(email, ['admin', 'publisher'], brandId);
    const signer = makeSigner();
    const keys = await BrandAdmin.login(this.store.anonymous, email, admin.password);
    await keys.certifyKey(brandId, 'models', signer);
    const publisher = new Publisher(this.url);
    await publisher.login(email, admin.password);
    const { brand } = await admin.ask<{ brand: { stores: { id: string }[] } }>(
      `brand(brand: "${brandId}") { stores { id } }`,
    );
    return { brandId, storeId: brand.stores[0]?.id ?? '', admin, publisher, signer };
  }

  /** Registers the name as `snapcraft register` does, and brings the sample file to stable. */
  async publish(
    { publisher }: Tenant,
    name: string,
    options: { isPrivate?: boolean; store?: string } = {},
  ): Promise<void> {
    const id = await publisher.register(name, options);
    const file = join(SNAPS, `${name}_1.snap`);
    const { revision, problems } = await publisher.upload(name, file, ['stable']);
    if (revision !== 1) throw new Error(`cannot publish ${name}: ${problems.join('; ')}`);
    const digest = createHash('sha3-384').update(readFileSync(file)).digest('hex');
    this.snaps.set(name, { name, id, digest });
  }

  /** A device of the brand with a session; `store` null: its model names none. */
  async device(tenant: Tenant, model: string, store: string | null): Promise<ScriptedDevice> {
    const { brandId, signer } = tenant;
    const key = makeSigner();
    const proposedSerial = `SN-${++this.lastSerial}`;
    const ofModel = {
      'authority-id': brandId,
      series: '16',
      'brand-id': brandId,
      model,
      architecture: 'amd64',
      gadget: 'a-gadget',
      kernel: 'a-kernel',
      ...(store !== null && { store }),
      timestamp: now(),
    };
    const ofSerial = {
      'authority-id': brandId,
      'brand-id': brandId,
      model,
      serial: proposedSerial,
      'device-key': key.publicKey.encoded,
      'device-key-sha3-384': key.publicKey.id,
      timestamp: now(),
    };
    const device = new ScriptedDevice({
      storeUrl: this.url,
      vaultUrl: this.url,
      model: await signAssertion({ type: 'model', headers: ofModel }, signer, new Date()),
      key,
      proposedSerial,
      trusted: this.trusted,
    });
    device.serial = await signAssertion({ type: 'serial', headers: ofSerial }, signer, new Date());
    await device.openSession();
    return device;
  }

  /** One mutation that must not be refused. */
  async act(who: Person, call: string, selection = '__typename'): Promise<Result> {
    const result = await who.act(call, selection);
    if (result.message !== undefined) throw new Error(`${call}: ${JSON.stringify(result)}`);
    return result;
  }

  wanted(snap: string): Wanted {
    const wanted = this.snaps.get(snap);
    if (!wanted) throw new Error(`cannot look for ${snap}: nobody published it`);
    return wanted;
  }

  /** Waits until the snap exists for the caller, then demands that all surfaces agree. */
  async expectThere(caller: ScriptedDevice, snap: string): Promise<void> {
    const isThere = async (): Promise<boolean> => 'snap' in (await caller.install(snap));
    await expect.poll(isThere, { ...LIMIT, message: `${snap} should be there` }).toBe(true);
    const ways = await waysTo(caller, this.wanted(snap));
    expect(ways.install.text).toContain('"download"');
    expect(ways.download.text).toContain('"download"');
    expect(ways.refresh.text).toContain('"result":"refresh"');
    expect(ways['download link'].status).toBe(302);
    expect(ways['HEAD of the link'].status).toBe(200);
    expect(ways['snap-declaration'].status).toBe(200);
    expect(ways['snap-revision'].status).toBe(200);
    expect(await this.stream(caller, this.wanted(snap))).toContain('assertion-streams');
  }

  /** Waits until it does not exist for the caller, then demands that every surface answers as for what never was. */
  async expectGone(caller: ScriptedDevice, snap: string): Promise<void> {
    const isThere = async (): Promise<boolean> => 'snap' in (await caller.install(snap));
    await expect.poll(isThere, { ...LIMIT, message: `${snap} should be gone` }).toBe(false);
    const wanted = this.wanted(snap);
    // Lists of what there is may still change by other acts: then the three were not asked of one policy, and are asked again.
    let [before, found, after] = await this.around(caller, wanted);
    while (!isDeepStrictEqual(before, after))
      [before, found, after] = await this.around(caller, wanted);
    expect(found).toEqual(after);
    expect(await this.stream(caller, wanted)).toBe(await this.stream(caller, NEVER));
  }

  /** What is there of a thing, and before and after that of one that never was. */
  private async around(caller: ScriptedDevice, wanted: Wanted) {
    const before = await waysTo(caller, NEVER);
    const found = await waysTo(caller, wanted);
    return [before, found, await waysTo(caller, NEVER)] as const;
  }

  /** Which of the snaps that were published here exist for the caller. */
  async seenBy(caller: ScriptedDevice): Promise<string[]> {
    const seen: string[] = [];
    for (const name of this.snaps.keys())
      if ('snap' in (await caller.install(name))) seen.push(name);
    return seen.sort();
  }

  /** The same, as the store's admins are told. */
  async contentOf({ brandId, admin }: Tenant, store: string, model?: string): Promise<string[]> {
    const args = { brand: brandId, store, ...(model !== undefined && { model }) };
    const { storeSnaps } = await admin.ask<{ storeSnaps: { edges: { node: { name: string } }[] } }>(
      `storeSnaps(${literal(args).slice(1, -1)}) { edges { node { name } } }`,
    );
    return storeSnaps.edges.map(({ node }) => node.name);
  }

  /** What a bulk assertion refresh says of the declaration, and where its stream leads. */
  private async stream(caller: ScriptedDevice, { id }: Wanted): Promise<string> {
    const assertions = [{ type: 'snap-declaration', 'primary-key': ['16', id] }];
    const answer = await caller.refresh([{ action: 'fetch-assertions', key: 'k', assertions }]);
    return answer.text.replaceAll(id, '<id>');
  }
}

/** Somebody without a session, who names this store or none. */
export function passerBy(device: ScriptedDevice, store: string | null): ScriptedDevice {
  const { store: _named, ...headers } = device.options.model.headers;
  const model = {
    ...device.options.model,
    headers: { ...headers, ...(store !== null && { store }) },
  };
  return new ScriptedDevice({ ...device.options, model });
}
