import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mintDeviceSession } from '#libs/auth';
import { Device, Person, readPolicyInputs } from '#libs/database';
import { deviceSessionKey } from '#libs/operations';
import {
  compilePolicy,
  isVisible,
  resolve,
  stopLevel,
  type Decision,
  type DeviceFacts,
  type PolicySnapshot,
  type RequestFacts,
} from '#libs/update-control';
import { toPolicyRows } from '#libs/operations';
import { ask } from '../../tools/clients/http.js';
import { DeviceStore, type TestBrand, type TestSnap } from './support/device-store.js';
import { arbitraryRules, REVISIONS, writeRules, type Ground } from './support/random-world.js';
import {
  SCHEDULED,
  contextOf,
  refresh,
  sessionHeader,
  type WireResult,
} from './support/refreshing.js';

/** More: `DECIDED_CASES=500 npx vitest run --project e2e test/device/decided.e2e.spec.ts`. */
const CASES = Number(process.env['DECIDED_CASES'] ?? 12);
const EPOCH = { read: [0], write: [0] };
const CHANNELS = ['latest/stable', 'latest/edge'] as const;

/** A device with all that its decisions stand on; without a uid somebody without a session. */
interface Poller {
  readonly facts: Omit<DeviceFacts, 'memory'>;
  readonly headers: Readonly<Record<string, string>>;
  /** Tracking channels that it reported last. */
  channels: Record<string, string>;
  hasPolled: boolean;
}

let store: DeviceStore;
let owner: Client;
let ground: Ground;
let snaps: TestSnap[];
let digests: Map<string, string>;
const pollers: Poller[] = [];

beforeAll(async () => {
  store = await DeviceStore.start();
  owner = new Client({ connectionString: store.databaseUrls.owner });
  await owner.connect();
  const brands = [await store.brand('acme'), await store.brand('other')];
  snaps = [];
  const parts: Ground['brands'][number][] = [];
  for (const brand of brands) {
    const own = [
      await store.snap(brand, `${parts.length}-open`),
      await store.snap(brand, `${parts.length}-private`, { isPrivate: true }),
      await store.snap(brand, `${parts.length}-protected`, { isProtected: true }),
    ];
    for (const snap of own) {
      for (let no = 1; no <= REVISIONS; no += 1)
        await store.revision(snap, no, no === 4 ? { architectures: ['amd64', 'arm64'] } : {});
      for (const channel of CHANNELS) await store.release(snap, 1, channel);
    }
    snaps.push(...own);
    const devices = await addDevices(brand);
    const person = await store.resources.db.asSystem((tx) =>
      tx.save(
        tx.create(Person, { email: `${brand.id}@x.example`, displayName: 'A', passwordHash: 'x' }),
      ),
    );
    parts.push({
      id: brand.id,
      storeId: brand.storeId,
      personId: person.id,
      snapIds: own.map(({ id }) => id),
      deviceUids: devices,
    });
    for (const headers of [{}, { 'snap-device-store': brand.storeId }] as Record<string, string>[])
      if (parts.length === 1 || 'snap-device-store' in headers)
        pollers.push({ facts: nobody(brand, headers), headers, channels: {}, hasPolled: false });
  }
  ground = { brands: parts };
  digests = new Map(
    (
      await owner.query<{ key: string; digest: string }>(
        `SELECT snap_id || ' ' || revision AS key, sha3384 AS digest FROM store.snap_revisions`,
      )
    ).rows.map(({ key, digest }) => [key, Buffer.from(digest, 'hex').toString('base64url')]),
  );
});
afterAll(async () => {
  await owner?.end();
  await store?.stop();
});

function nobody(brand: TestBrand, headers: Record<string, string>): Poller['facts'] {
  return {
    uid: null,
    // Without a store, each snap is answered by its own brand.
    brandId: 'snap-device-store' in headers ? brand.id : '',
    model: null,
    serial: null,
    storeId: headers['snap-device-store'] ?? null,
    hasBrandSerial: false,
    architecture: 'amd64',
    timezone: null,
    tags: {},
    snapdVersion: null,
  };
}

/** Devices with sessions that nobody had to open (decisions 23). */
async function addDevices(brand: TestBrand): Promise<string[]> {
  const kinds = [
    { tags: { site: 'lab' } },
    { tags: { site: 'plant' }, timezone: 'Asia/Tokyo' },
    { tags: { site: 'plant' }, architecture: 'arm64' },
    { tags: { site: 'lab' }, serialAuthorityId: store.operatorAccountId },
    { tags: {} },
  ] as const;
  const uids: string[] = [];
  for (const kind of kinds) {
    const row = {
      uid: randomUUID(),
      brandId: brand.id,
      model: 'gateway',
      serial: randomUUID(),
      storeId: brand.storeId,
      deviceKeyId: 'key',
      serialAuthorityId: brand.id,
      architecture: 'amd64',
      timezone: null,
      ...kind,
    };
    await store.resources.db.asSystem((tx) => tx.insert(Device, row));
    const key = deviceSessionKey(store.resources.settings);
    const session = mintDeviceSession({ ...row, deviceUid: row.uid }, key, new Date());
    const { uid, brandId, model, serial, storeId, architecture, timezone, tags } = row;
    const hasBrandSerial = row.serialAuthorityId === brandId;
    pollers.push({
      facts: {
        uid,
        brandId,
        model,
        serial,
        storeId,
        hasBrandSerial,
        architecture,
        timezone,
        tags,
        snapdVersion: null,
      },
      headers: { ...sessionHeader(session), 'snap-device-architecture': architecture },
      channels: {},
      hasPolled: false,
    });
    uids.push(uid);
  }
  return uids;
}

/** The policies as the tables have them at this moment, by brand id. */
async function readPolicies(): Promise<Map<string, PolicySnapshot>> {
  const policies = new Map<string, PolicySnapshot>();
  for (const { id } of ground.brands) {
    const rows = await store.resources.db.asSystem((tx) => readPolicyInputs(tx, id));
    policies.set(id, compilePolicy(toPolicyRows(rows)));
  }
  return policies;
}

interface Wish {
  /** 0: an installation. */
  readonly installed: number;
  readonly tracking: string;
  readonly channel: string | null;
  readonly explicit: number | null;
  readonly isAsked: boolean;
}

const wish: fc.Arbitrary<Wish> = fc.record({
  installed: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 77),
  tracking: fc.constantFrom(...CHANNELS, 'latest/stable'),
  channel: fc.constantFrom(null, null, null, ...CHANNELS, 'latest/beta', 'nosuch/edge'),
  explicit: fc.constantFrom(null, null, null, null, 2, 6, 99),
  isAsked: fc.constantFrom(true, true, true, false),
});
const arbitraryPoll = fc.record({
  wishes: fc.array(wish, { minLength: 6, maxLength: 6 }),
  isScheduled: fc.boolean(),
  isSingle: fc.constantFrom(false, false, true),
});
type RandomPoll = typeof arbitraryPoll extends fc.Arbitrary<infer T> ? T : never;

/** What is asked on the wire, and the same in the words of `resolve()`. */
function toCall(poll: RandomPoll, poller: Poller) {
  const all = snaps.map((snap, n) => ({ snap, ...(poll.wishes[n] as Wish) }));
  const context = all
    .filter(({ installed }) => installed > 0)
    .map(({ snap, installed, tracking }) =>
      contextOf({ id: snap.id, revision: installed, channel: tracking }),
    );
  const asked = all.filter(({ isAsked }) => isAsked).slice(0, poll.isSingle ? 1 : 6);
  const actions = asked.map(({ snap, installed, channel, explicit }, n) => ({
    ...(installed > 0
      ? { action: 'refresh', 'instance-key': snap.id, 'snap-id': snap.id }
      : { action: 'install', 'instance-key': `install-${n}`, name: snap.name, epoch: null }),
    ...(channel !== null && { channel }),
    ...(explicit !== null && { revision: explicit }),
  }));
  const requests = asked.map(
    ({ snap, installed, tracking, channel, explicit }, n): RequestFacts => ({
      action: installed > 0 ? 'refresh' : 'install',
      snapId: snap.id,
      instanceKey: installed > 0 ? snap.id : `install-${n}`,
      channel,
      trackingChannel: installed > 0 ? tracking : undefined,
      revision: explicit ?? undefined,
      installed: installed > 0 ? { revision: installed, epoch: EPOCH } : undefined,
      ignoreValidation: false,
      isScheduled: poll.isScheduled,
      isOnlyAction: asked.length === 1 && installed > 0,
      isAutomaticRepeat: poller.facts.uid !== null && !poll.isScheduled && poller.hasPolled,
      isShed: false,
      context: Object.fromEntries(
        all
          .filter((one) => one.installed > 0)
          .map((one) => [one.snap.id, { revision: one.installed, channel: one.tracking }]),
      ),
    }),
  );
  return { context, actions, requests, asked };
}

/** Who the policy sees; null where there is no such snap for it. */
function seenBy(poller: Poller, snap: TestSnap, policies: Map<string, PolicySnapshot>) {
  const brandId = poller.facts.brandId || snap.brand.id;
  // What the process remembers of reverts and failures is tried elsewhere (U73, U74); here it is given.
  const remembered =
    poller.facts.uid === null ? null : store.services.devices.peek(poller.facts.uid);
  const memory = Object.fromEntries(
    [...Object.keys(poller.channels), ...Object.keys(remembered?.memories ?? {})].map((key) => [
      key,
      { ...remembered?.memories[key], observedChannel: poller.channels[key] },
    ]),
  );
  const facts: DeviceFacts = { ...poller.facts, brandId, memory };
  const policy = policies.get(brandId) as PolicySnapshot;
  const known = policy.snaps[snap.id];
  return known && isVisible(facts, known, policy, Date.now()) ? { facts, policy } : null;
}

/** One result in few words. */
function toWords(result: WireResult): string {
  if (result.result === 'error') return `error ${result.error?.code}`;
  return `${result.result} ${result.snap?.revision}${result.snap?.download ? ' with download' : ''}`;
}

/** The same words from a decision: what update-control.md 2.3 says of the wire. */
function expectedWords(request: RequestFacts, decision: Decision | null): string {
  const [first] = decision?.reasons ?? [];
  if (!decision || first?.code === 'NO_SUCH_SNAP' || first?.code === 'NOT_ENTITLED')
    return `error ${request.action === 'refresh' ? 'id' : 'name'}-not-found`;
  if (decision.outcome === 'NOT_FOUND') return 'error revision-not-found';
  const more = decision.outcome === 'UPDATE' ? ' with download' : '';
  return `${request.action} ${decision.revision}${more}`;
}

const tally = { UPDATE: 0, STAY: 0, NOT_FOUND: 0, unseen: 0, withheld: 0 };

async function judgePoll(poller: Poller, poll: RandomPoll, policies: Map<string, PolicySnapshot>) {
  const { context, actions, requests, asked } = toCall(poll, poller);
  const decideAt = (t: number) =>
    requests.map((request, n) => {
      const seen = seenBy(poller, (asked[n] as { snap: TestSnap }).snap, policies);
      return seen && resolve(seen.facts, request, seen.policy, t);
    });
  const askedAt = Date.now();
  const { results } = await refresh(store.url, {
    context,
    actions,
    headers: { ...poller.headers, ...(poll.isScheduled && SCHEDULED) },
  });
  const [before, after] = [decideAt(askedAt), decideAt(Date.now())];
  expect(results.map((one) => one['instance-key'])).toEqual(requests.map((one) => one.instanceKey));
  for (const [n, request] of requests.entries()) {
    const [decision, result] = [before[n] ?? null, results[n] as WireResult];
    const allowed = [decision, after[n] ?? null].map((one) => expectedWords(request, one));
    tally[decision?.outcome ?? 'unseen'] += 1;
    if (toWords(result) === 'error update-withheld') {
      tally.withheld += 1;
      const mayExplain = request.isOnlyAction && !request.isScheduled && !request.isAutomaticRepeat;
      expect([mayExplain, decision?.outcome]).toEqual([true, 'STAY']);
      continue;
    }
    expect(allowed, JSON.stringify({ request, decision, facts: poller.facts })).toContain(
      toWords(result),
    );
    if (decision?.outcome === 'UPDATE')
      expect(result.snap?.download.url).toBe(
        `${store.url}/api/v1/snaps/download/${request.snapId}_${result.snap?.revision}.snap`,
      );
  }
  if (poller.facts.uid === null || context.length === 0) return;
  poller.channels = Object.fromEntries(
    context.map((one) => [one['instance-key'], one['tracking-channel']]),
  );
  poller.hasPolled ||= poll.isScheduled;
}

/** Bytes and `snap-revision` of one revision: there for whom the snap is there, unless withdrawn or stopped (decisions 13, 14). */
async function judgeBytes(
  poller: Poller,
  snap: TestSnap,
  revision: number,
  policies: Map<string, PolicySnapshot>,
): Promise<void> {
  const seen = seenBy(poller, snap, policies);
  const level = seen ? stopLevel(seen.policy, snap.id, revision, seen.facts) : 0;
  const isYanked = seen?.policy.snaps[snap.id]?.revisions[revision]?.isYanked;
  const expected = !seen
    ? { download: 404, assertion: 404 }
    : { download: isYanked ? 404 : level >= 2 ? 403 : 302, assertion: level >= 3 ? 404 : 200 };
  const get = async (path: string) =>
    (await ask(`${store.url}${path}`, { headers: toLevel1(poller) })).status;
  const found = {
    download: await get(`/api/v1/snaps/download/${snap.id}_${revision}.snap`),
    assertion: await get(
      `/v2/assertions/snap-revision/${digests.get(`${snap.id} ${revision}`)}?max-format=0`,
    ),
  };
  expect(
    found,
    JSON.stringify({ level, isYanked, facts: poller.facts, snap: snap.name, revision }),
  ).toEqual(expected);
}

const toLevel1 = ({ headers }: Poller): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.replace('snap-device-', 'x-device-').replace('x-device-store', 'x-ubuntu-store'),
      value,
    ]),
  );

it('serves no revision that resolve did not decide, in random brands, fleets and rollouts', async () => {
  const polls = fc.infiniteStream(arbitraryPoll);
  const picks = fc.infiniteStream(
    fc.record({ snap: fc.nat(5), revision: fc.integer({ min: 1, max: REVISIONS }) }),
  );
  await fc.assert(
    fc.asyncProperty(arbitraryRules, polls, picks, async (rules, nextPoll, nextPick) => {
      await writeRules(owner, ground, rules);
      for (let round = 0; round < 3; round += 1)
        await store.compile(...ground.brands.map((one) => one as unknown as TestBrand));
      const policies = await readPolicies();
      for (const poller of pollers)
        for (let round = 0; round < 3; round += 1)
          await judgePoll(poller, nextPoll.next().value as RandomPoll, policies);
      for (const poller of pollers)
        for (let round = 0; round < 3; round += 1) {
          const { snap, revision } = nextPick.next().value as { snap: number; revision: number };
          await judgeBytes(poller, snaps[snap] as TestSnap, revision, policies);
        }
    }),
    { numRuns: CASES, endOnFailure: true },
  );
  // The worlds were worth it.
  expect(Math.min(tally.UPDATE, tally.STAY, tally.NOT_FOUND, tally.unseen)).toBeGreaterThan(
    5 * CASES,
  );
}, 600_000);
