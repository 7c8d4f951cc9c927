import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { formatId } from '#libs/auth';
import {
  Account,
  Blob,
  BrandStore,
  Database,
  Device,
  DeviceFact,
  Fleet,
  FleetMember,
  Membership,
  Person,
  Snap,
  SnapRevision,
  Upload,
  Webhook,
  addToOutbox,
  type Role,
} from '#libs/database';
import {
  ReleaseService,
  RolloutApprovalService,
  RolloutService,
  openResources,
  type Principal,
  type Resources,
  type ResourceSettings,
  type RolloutOrder,
} from '#libs/operations';
import { findDeltaProgram } from '#stack';
import type { Installation } from '../../tools/installation/index.js';
import { secretFiles } from '../../tools/installation/secrets.js';
import { startStore, testStack } from '../support/store.js';
import { Receiver } from './receiver.js';

const SNAPS = join(import.meta.dirname, '../snaps');
/** Lies uncompressed in its file, so that each snap can have one that bears its name. */
const SAMPLE = { file: 'armhf-only_1.snap', name: 'armhf-only' };
const DEVICES = 10;
const WEBHOOK_NETWORKS = '127.0.0.0/8';

/** A brand with two people, one snap of two revisions (the first on stable), and a fleet of ten devices. */
export interface SeededBrand {
  readonly brandId: string;
  readonly storeId: string;
  readonly snapId: string;
  readonly snapName: string;
  readonly fleetId: string;
  readonly author: Principal;
  readonly approver: Principal;
}

/** A store whose worker can be killed and started, with the worker's own resources in this process beside it. */
export class World {
  private brands = 0;
  private readonly closing: (() => Promise<void>)[] = [];

  private constructor(
    readonly installation: Installation,
    readonly settings: ResourceSettings,
    /** Sees everything; for looking, and for making things that no service makes. */
    readonly owner: Client,
    private readonly ownerDb: Database,
    /** Takes every webhook. */
    readonly receiver: Receiver,
  ) {}

  /** With the worker running. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<World> {
    const stack = testStack();
    // Without it the job of deltas only looks.
    const xdelta3 = await findDeltaProgram().then(
      ({ command }) => command,
      () => undefined,
    );
    const database = `test_${randomBytes(6).toString('hex')}`;
    const installation = await startStore({
      stack: { ...stack, env: { ...stack.env, ...env } },
      database,
      apps: ['worker'],
      env: { KEY_BITS: '2048', WEBHOOK_NETWORKS, ...(xdelta3 && { XDELTA3: xdelta3 }) },
    });
    const secrets = secretFiles(join(stack.dir, database));
    const settings: ResourceSettings = {
      DATABASE_URL: installation.databaseUrls.worker,
      PUBLIC_URL: installation.storeUrl,
      SECRET_FILE: secrets.store,
      MASTER_KEY_FILE: secrets.storeMaster,
      WEBHOOK_NETWORKS,
      BLOBS_DIR: stack.env.BLOBS_DIR,
      BLOBS_SECRET: stack.env.BLOBS_SECRET ?? '',
      XDELTA3: xdelta3,
    };
    const owner = new Client({ connectionString: installation.databaseUrls.owner });
    await owner.connect();
    const ownerDb = await Database.open({
      url: installation.databaseUrls.owner,
      room: 'store',
      applicationName: 'faults',
    });
    return new World(installation, settings, owner, ownerDb, await Receiver.start());
  }

  async stop(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
    await this.ownerDb.close();
    await this.owner.end();
    await this.installation.stop();
    await this.receiver.stop();
  }

  /** Resources as a worker process has them; each call is another process's worth. */
  async resources(name = 'faults'): Promise<Resources> {
    return openResources(this.settings, {
      name,
      onTrouble: () => {},
      alarm: () => {},
      opened: (_what, close) => this.closing.push(close),
    });
  }

  async rows<T extends object>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.owner.query<T>(sql, [...values])).rows;
  }

  async brand(resources: Resources): Promise<SeededBrand> {
    this.brands += 1;
    const no = String(this.brands).padStart(4, '0');
    const [brandId, storeId, snapId] = [newId(), newId(), newId()];
    const snapName = `fault-${no}`;
    const fleetId = randomUUID();
    const people = [
      { id: randomUUID(), roles: ['releaser', 'publisher'] },
      { id: randomUUID(), roles: ['approver'] },
    ] as const;
    await this.ownerDb.asSystem(async (tx) => {
      const username = `brand-${no}`;
      await tx.insert(Account, { id: brandId, username, displayName: username, isBrand: true });
      await tx.insert(BrandStore, { id: storeId, brandId, name: username });
      for (const { id, roles } of people) {
        const email = `${id}@acme.example`;
        await tx.insert(Person, { id, email, displayName: email, passwordHash: '' });
        await tx.insert(
          Membership,
          roles.map((role) => ({ brandId, personId: id, role })),
        );
      }
      await tx.insert(Snap, { id: snapId, brandId, storeId, name: snapName, type: 'app' });
      for (const revision of [1, 2]) await insertRevision(tx, { brandId, snapId }, revision);
      await tx.update(Snap, { id: snapId }, { lastRevision: 2 });
      await tx.insert(Fleet, { id: fleetId, brandId, name: 'all', priority: 1 });
    });
    await this.addDevices({ brandId, storeId, snapId, fleetId }, DEVICES);
    const [author, approver] = people.map(({ id, roles }) => principal(id, brandId, roles));
    if (!author || !approver) throw new Error('cannot happen: there are two people');
    const seeded = { brandId, storeId, snapId, snapName, fleetId, author, approver };
    const who = { personId: author.personId, label: `person:${author.personId}` };
    const channels = ['latest/stable'];
    await new ReleaseService(resources).release(who, { brandId, snapId, revision: 1, channels });
    // The deltas to it are no part of what is tested, but for the job that makes some.
    await this.rows('UPDATE store.delta_targets SET looked_at = app.now() WHERE brand_id = $1', [
      brandId,
    ]);
    return seeded;
  }

  /** From now on the receiver is told of all that happens in the brand. */
  async addWebhook({ brandId }: SeededBrand): Promise<void> {
    const { url } = this.receiver;
    await this.ownerDb.asSystem((tx) => tx.insert(Webhook, { id: randomUUID(), brandId, url }));
  }

  /** Devices of the fleet and the brand's store (without one, each brand's policy would hold what all others publish) that run revision 1 and have said so. */
  async addDevices(
    {
      brandId,
      storeId,
      snapId,
      fleetId,
    }: Pick<SeededBrand, 'brandId' | 'storeId' | 'snapId' | 'fleetId'>,
    count: number,
  ): Promise<void> {
    const uids = Array.from({ length: count }, () => randomUUID());
    const epoch = { read: [0], write: [0] };
    const snaps = { [snapId]: { snapId, revision: 1, channel: 'latest/stable', epoch } };
    const facts = { snapdVersion: '2.77', architecture: 'amd64', snaps };
    await this.ownerDb.asSystem(async (tx) => {
      await tx.insert(
        Device,
        uids.map((uid) => ({
          ...{ uid, brandId, storeId, serial: uid },
          ...{ model: 'faulty', deviceKeyId: 'key', architecture: 'amd64' },
        })),
      );
      const seenAt = new Date();
      await tx.insert(
        DeviceFact,
        uids.map((deviceUid) => ({ deviceUid, brandId, facts, factsHash: 'test', seenAt })),
      );
      await tx.insert(
        FleetMember,
        uids.map((deviceUid) => ({ deviceUid, brandId, fleetId })),
      );
    });
  }

  /** Bytes for both revisions, the same in every brand; the second differs a little. */
  async keepBytes(resources: Resources, snapId: string): Promise<void> {
    const blobs = await this.rows<{ revision: number; id: string; key: string }>(
      `SELECT r.revision, b.id, b.storage_key AS key FROM store.snap_revisions r JOIN store.blobs b ON b.id = r.blob_id
       WHERE r.snap_id = $1`,
      [snapId],
    );
    for (const { revision, id, key } of blobs) {
      const bytes = Buffer.alloc(20_000, `revision ${revision}`);
      for (let at = 100; at < bytes.length; at += 4)
        bytes.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
      await resources.blobs.put(key, [bytes]);
      const digest = createHash('sha3-384').update(bytes).digest('hex');
      await this.rows('UPDATE store.blobs SET sha3384 = $2, size_bytes = $3 WHERE id = $1', [
        ...[id, digest, bytes.length],
      ]);
    }
  }

  /** An approved rollout of revision 2 to the fleet: due, but nobody has looked at it yet. */
  async scheduled(
    resources: Resources,
    brand: SeededBrand,
    order: Partial<RolloutOrder> = {},
  ): Promise<string> {
    const rollouts = new RolloutService(resources);
    const { brandId, author, approver, fleetId, snapName } = brand;
    const { id: rolloutId } = await rollouts.create(author, brandId, {
      ...{ title: 'two', fleetId, snap: snapName, channel: 'latest/stable', revision: 2 },
      waves: [50, 100].map((percent) => ({
        percent,
        soakSeconds: 0,
        health: { minSample: 0, coveragePercent: 0 },
      })),
      ...order,
    });
    const { planHash } = await rollouts.submit(author, brandId, { rolloutId });
    await new RolloutApprovalService(resources).approve(approver, brandId, { rolloutId, planHash });
    return rolloutId;
  }

  /** A third revision of the brand's snap, uploaded and not yet reviewed; `isGood` false: it bears another snap's name. */
  async uploaded(resources: Resources, brand: SeededBrand, isGood: boolean): Promise<string> {
    const bytes = readFileSync(join(SNAPS, SAMPLE.file));
    // The bytes of a name may be patched where both are of one length; otherwise each brand's file differs at its end.
    if (isGood) bytes.write(brand.snapName, bytes.indexOf(SAMPLE.name), 'latin1');
    const { brandId, snapId, author } = brand;
    const [blobId, uploadId] = [randomUUID(), randomUUID()];
    const storageKey = `uploads/${blobId}`;
    await resources.blobs.put(storageKey, [bytes]);
    const digest = (name: string): string => createHash(name).update(bytes).digest('hex');
    await this.ownerDb.asSystem(async (tx) => {
      const sizeBytes = bytes.length;
      const sums = { sha3384: digest('sha3-384'), sha256: digest('sha256') };
      await tx.insert(Blob, { id: blobId, storageKey, ...sums, sizeBytes, claimedAt: new Date() });
      const channels = ['latest/edge'];
      const { personId } = author;
      await tx.insert(Upload, { id: uploadId, brandId, snapId, blobId, personId, channels });
      await addToOutbox(tx, 'review-upload', { uploadId, brandId });
    });
    return uploadId;
  }
}

let latest = 0;

/** After all that the database has written, and never before an earlier one: a clock measured on a slow machine is a little off. */
export function instant({ db }: Resources): Date {
  latest = Math.max(latest + 1, db.clock.now().getTime() + 1_000);
  return new Date(latest);
}

/** The same resources at an instant that does not pass: what becomes due by itself does so on a slow machine only. */
export function still(resources: Resources, at = instant(resources)): Resources {
  const clock = { now: () => at, aheadMs: resources.db.clock.aheadMs };
  return { ...resources, db: Object.create(resources.db, { clock: { value: clock } }) as Database };
}

const newId = (): string => formatId(randomBytes(32));

const principal = (personId: string, brandId: string, roles: readonly Role[]): Principal => ({
  ...{ kind: 'session', tokenId: randomUUID(), personId, isOperator: false },
  ...{ email: 'somebody@acme.example', displayName: 'somebody' },
  grants: new Map([[brandId, roles.map((role) => ({ role, limits: {} }))]]),
});

async function insertRevision(
  tx: Parameters<Parameters<Database['asSystem']>[0]>[0],
  { brandId, snapId }: { brandId: string; snapId: string },
  revision: number,
): Promise<void> {
  const [blobId, uploadId] = [randomUUID(), randomUUID()];
  const sums = { sha3384: randomBytes(48).toString('hex'), sizeBytes: 4096 };
  const claimedAt = new Date();
  const storageKey = `uploads/${blobId}`;
  await tx.insert(Blob, { id: blobId, storageKey, ...sums, sha256: '', claimedAt });
  const row = { id: uploadId, brandId, snapId, blobId, personId: randomUUID() };
  await tx.insert(Upload, { ...row, state: 'accepted', revision });
  await tx.insert(SnapRevision, {
    ...{ snapId, revision, brandId, uploadId, blobId, ...sums, version: `${revision}.0` },
    ...{ type: 'app', architectures: ['amd64'], epoch: { read: [0], write: [0] } },
    ...{ confinement: 'strict', grade: 'stable', snapYaml: '' },
  });
}
