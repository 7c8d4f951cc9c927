import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Client } from 'pg';
import { bucket, draftPlan, draftWave, EVERYBODY, planHash } from '#libs/update-control';
import * as words from '../../../libs/update-control/testing/world.js';

export const REVISIONS = 6;
const SALT = '00112233445566778899aabbccddeeff';
const CHANNELS = ['latest/stable', 'latest/edge'] as const;

/** What a world is made on: it stays from case to case. */
export interface Ground {
  readonly brands: readonly {
    readonly id: string;
    readonly storeId: string;
    readonly personId: string;
    readonly snapIds: readonly string[];
    readonly deviceUids: readonly string[];
  }[];
}

const revision = fc.integer({ min: 1, max: REVISIONS });
const index = fc.nat(7);
const hours = fc.constantFrom(-5, -2, 2, 5);

const happening = fc.record({
  kind: fc.constantFrom('release', 'release', 'release', 'rollback', 'close'),
  revision,
  architectures: fc.constantFrom(['all'], ['all'], ['amd64'], ['arm64']),
});

const rollout = fc.record({
  snap: index,
  channel: fc.constantFrom(...CHANNELS),
  fleet: index,
  target: fc.constantFrom<Record<string, number>[]>(
    { all: 6 },
    { all: 5 },
    { all: 3 },
    { amd64: 6, arm64: 4 },
  ),
  state: fc.constantFrom(
    'ACTIVE',
    'ACTIVE',
    'ACTIVE',
    'PAUSED',
    'COMPLETING',
    'SCHEDULED',
    'ABORTED',
  ),
  // Device whose bucket is the last one in, for each opened wave.
  admitted: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }),
  isWhole: fc.boolean(),
  hasSelector: fc.boolean(),
  includeInstalls: fc.boolean(),
  isCritical: fc.boolean(),
  isRollback: fc.constantFrom(false, false, true),
  isNightOnly: fc.constantFrom(false, false, true),
});

const brandRules = fc.record({
  allowPublic: fc.boolean(),
  includes: fc.constantFrom('nothing', 'a snap', 'a store'),
  logs: fc.array(fc.array(happening, { maxLength: 5 }), { minLength: 6, maxLength: 6 }),
  fleets: fc.array(
    fc.record({
      predicate: fc.constantFrom<unknown[]>(
        { fact: 'tag:site', equals: 'lab' },
        { fact: 'tag:site', equals: 'plant' },
        { fact: 'architecture', equals: 'amd64' },
        { any: [] },
        null,
      ),
      members: fc.subarray([0, 1, 2, 3]),
    }),
    { maxLength: 3 },
  ),
  rollouts: fc.uniqueArray(rollout, {
    maxLength: 5,
    selector: ({ snap, channel, fleet }) => `${snap % 3} ${channel} ${fleet % 3}`,
  }),
  holds: fc.array(
    fc.record({
      scope: fc.constantFrom('brand', 'fleet', 'device'),
      snap: fc.option(index, { nil: null }),
      which: index,
      from: hours,
    }),
    { maxLength: 2 },
  ),
  pins: fc.array(
    fc.record({
      onDevice: fc.boolean(),
      which: index,
      snap: index,
      revision,
      allowDowngrade: fc.boolean(),
    }),
    { maxLength: 3 },
  ),
  stops: fc.array(
    fc.record({
      scope: fc.constantFrom('fleet', 'snap', 'revision', 'revision', 'rollout'),
      which: index,
      snap: index,
      revision,
      level: fc.constantFrom(1, 2, 3),
    }),
    { maxLength: 2 },
  ),
  floors: fc.array(fc.record({ snap: index, revision }), { maxLength: 2 }),
  yanked: fc.array(fc.record({ snap: index, revision }), { maxLength: 2 }),
  baselines: fc.uniqueArray(
    fc.record({ fleet: index, snap: index, revision, follow: fc.constantFrom('sticky', 'later') }),
    { maxLength: 2, selector: ({ fleet, snap }) => `${fleet % 3} ${snap % 3}` },
  ),
});

/** Everything that two brands may say about their devices' updates. */
export const arbitraryRules = fc.tuple(brandRules, brandRules);
type BrandRules = typeof brandRules extends fc.Arbitrary<infer T> ? T : never;

const at = <T>(list: readonly T[], which: number): T | undefined => list[which % list.length];

/** Replaces all rules of both brands by these, in one transaction; as the owner of the tables, for logs are append-only to services. */
export async function writeRules(
  owner: Client,
  ground: Ground,
  rules: readonly [BrandRules, BrandRules],
): Promise<void> {
  await owner.query('BEGIN');
  for (const table of (
    'emergency_stops holds pins floors fleet_baselines waves rollouts fleet_members fleets lane_events ' +
    'store_inclusions'
  ).split(' '))
    await owner.query(`DELETE FROM store.${table}`);
  await owner.query('UPDATE store.snap_revisions SET yanked_at = NULL WHERE yanked_at IS NOT NULL');
  for (const [no, brand] of ground.brands.entries()) {
    const own = rules[no];
    if (own) await new BrandWriter(owner, ground, no).write(brand, own);
  }
  await owner.query('COMMIT');
}

type Brand = Ground['brands'][number];

class BrandWriter {
  private fleets: string[] = [];
  private rollouts: string[] = [];
  private lanes = new Map<string, string>();

  constructor(
    private readonly owner: Client,
    private readonly ground: Ground,
    private readonly no: number,
  ) {}

  private async insert(table: string, row: Record<string, unknown>): Promise<void> {
    const columns = Object.keys(row);
    const places = columns.map((_, n) => `$${n + 1}`).join(', ');
    await this.owner.query(
      `INSERT INTO store.${table} (${columns.map((name) => `"${name}"`).join(', ')}) VALUES (${places})`,
      Object.values(row),
    );
  }

  async write(brand: Brand, rules: BrandRules): Promise<void> {
    await this.writeStores(brand, rules);
    await this.writeLanes(brand, rules);
    await this.writeFleets(brand, rules);
    for (const one of rules.rollouts) await this.writeRollout(brand, one);
    await this.writeBrakes(brand, rules);
  }

  private async writeStores(brand: Brand, { allowPublic, includes }: BrandRules): Promise<void> {
    await this.owner.query('UPDATE store.brand_stores SET allow_public = $2 WHERE id = $1', [
      brand.storeId,
      allowPublic,
    ]);
    const neighbour = this.ground.brands[1 - this.no];
    if (includes === 'nothing' || !neighbour) return;
    await this.insert('store_inclusions', {
      brand_id: brand.id,
      store_id: brand.storeId,
      included_store_id: neighbour.storeId,
      snap_id: includes === 'a snap' ? neighbour.snapIds[0] : null,
    });
  }

  private async writeLanes(brand: Brand, { logs }: BrandRules): Promise<void> {
    const { rows } = await this.owner.query<{ id: string; key: string }>(
      `SELECT id, snap_id || ' ' || track || '/' || risk AS key FROM store.lanes WHERE brand_id = $1`,
      [brand.id],
    );
    this.lanes = new Map(rows.map(({ id, key }) => [key, id]));
    for (const [s, snapId] of brand.snapIds.entries())
      for (const [c, channel] of CHANNELS.entries()) {
        const happenings = [
          // Something is always there, and the policy is always another one than before.
          ...(c === 0 ? [{ kind: 'release' as const, revision: 1, architectures: ['all'] }] : []),
          ...(logs[s * 2 + c] ?? []),
        ];
        for (const event of words.log(happenings, this.lane(snapId, channel)))
          await this.insert('lane_events', {
            lane_id: event.laneId,
            seq: event.seq,
            brand_id: brand.id,
            snap_id: snapId,
            kind: event.kind,
            revision: event.kind === 'close' ? null : event.revision,
            architectures: event.architectures,
            rank: event.rank,
          });
      }
  }

  private lane(snapId: string, channel: string): string {
    return this.lanes.get(`${snapId} ${channel}`) ?? '';
  }

  private async writeFleets(brand: Brand, { fleets, baselines }: BrandRules): Promise<void> {
    for (const [n, { predicate, members }] of fleets.entries()) {
      const id = randomUUID();
      this.fleets.push(id);
      await this.insert('fleets', {
        id,
        brand_id: brand.id,
        name: `fleet ${n}`,
        priority: 10 + n,
        predicate: predicate === null ? null : JSON.stringify(predicate),
      });
      if (predicate !== null) continue;
      for (const member of members)
        await this.insert('fleet_members', {
          brand_id: brand.id,
          fleet_id: id,
          device_uid: brand.deviceUids[member],
        });
    }
    for (const { fleet, snap, revision: number, follow } of baselines) {
      const fleetId = this.fleets[fleet % 3];
      if (fleetId !== undefined)
        await this.insert('fleet_baselines', {
          brand_id: brand.id,
          fleet_id: fleetId,
          lane_id: this.lane(at(brand.snapIds, snap) ?? '', 'latest/stable'),
          architecture: 'all',
          revision: number,
          follow,
        });
    }
  }

  private async writeRollout(brand: Brand, rule: BrandRules['rollouts'][number]): Promise<void> {
    const fleetId = this.fleets[rule.fleet % 3];
    const snapId = at(brand.snapIds, rule.snap) ?? '';
    if (fleetId === undefined) return;
    const id = randomUUID();
    this.rollouts.push(id);
    const plan = draftPlan({
      title: id,
      target: { kind: 'revision', snapId, channel: rule.channel, revisions: rule.target },
      fleet: { id: fleetId, predicate: null },
      waves: [
        ...rule.admitted.map((_, n) =>
          draftWave(
            { count: n + 1 },
            { selector: rule.hasSelector && n === 0 ? { fact: 'tag:site', equals: 'lab' } : null },
          ),
        ),
        draftWave({ percent: 100 }),
      ],
      includeInstalls: rule.includeInstalls,
      isCritical: rule.isCritical,
      isRollback: rule.isRollback,
      schedule: rule.isNightOnly
        ? { windows: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '22:00', to: '04:00' }], freezes: [] }
        : null,
    });
    const salt = id.replaceAll('-', '').slice(0, 32) || SALT;
    const isActive = rule.state === 'ACTIVE' || rule.state === 'COMPLETING';
    const hourAgo = new Date(Date.now() - 3_600_000);
    await this.insert('rollouts', {
      id,
      brand_id: brand.id,
      snap_id: snapId,
      lane_id: this.lane(snapId, rule.channel),
      fleet_id: fleetId,
      name: id,
      state: rule.state,
      salt: Buffer.from(salt, 'hex'),
      plan: JSON.stringify(plan),
      plan_hash: planHash(plan),
      author_id: brand.personId,
      last_editor_id: brand.personId,
      active_since: isActive ? hourAgo : null,
      lease_until: isActive ? new Date(Date.now() + 900_000) : null,
    });
    let reached = 0;
    for (const [n, device] of rule.admitted.entries()) {
      const isLast = n === rule.admitted.length - 1;
      const own = bucket(salt, at(brand.deviceUids, device) ?? '') + 1;
      const threshold = isLast && rule.isWhole ? EVERYBODY : Math.max(reached, own);
      await this.insert('waves', {
        rollout_id: id,
        no: n + 1,
        brand_id: brand.id,
        state: isLast ? 'OPEN' : 'PASSED',
        threshold,
        prev_threshold: reached,
        population: brand.deviceUids.length,
        k: n + 1,
        opened_at: hourAgo,
      });
      reached = threshold;
    }
    await this.insert('waves', {
      rollout_id: id,
      no: rule.admitted.length + 1,
      brand_id: brand.id,
      state: 'WAITING',
    });
  }

  private async writeBrakes(brand: Brand, rules: BrandRules): Promise<void> {
    const common = { brand_id: brand.id, reason: 'a reason', person_id: brand.personId };
    const fleetOf = (which: number): string | undefined => at(this.fleets, which);
    const snapOf = (which: number): string | undefined => at(brand.snapIds, which);
    const deviceOf = (which: number): string | undefined => at(brand.deviceUids, which);
    for (const { scope, snap, which, from } of rules.holds) {
      const start = Date.now() + from * 3_600_000;
      if (scope === 'fleet' && this.fleets.length === 0) continue;
      await this.insert('holds', {
        ...common,
        scope,
        fleet_id: scope === 'fleet' ? fleetOf(which) : null,
        device_uid: scope === 'device' ? deviceOf(which) : null,
        snap_id: snap === null ? null : snapOf(snap),
        from: new Date(start),
        until: new Date(start + 4 * 3_600_000),
      });
    }
    for (const { onDevice, which, snap, revision: number, allowDowngrade } of rules.pins) {
      if (!onDevice && this.fleets.length === 0) continue;
      await this.insert('pins', {
        ...common,
        fleet_id: onDevice ? null : fleetOf(which),
        device_uid: onDevice ? deviceOf(which) : null,
        snap_id: snapOf(snap),
        revision: number,
        allow_downgrade: allowDowngrade,
      });
    }
    for (const { scope, which, snap, revision: number, level } of rules.stops) {
      if (scope === 'fleet' && this.fleets.length === 0) continue;
      if (scope === 'rollout' && this.rollouts.length === 0) continue;
      await this.insert('emergency_stops', {
        ...common,
        scope,
        level,
        fleet_id: scope === 'fleet' ? fleetOf(which) : null,
        rollout_id: scope === 'rollout' ? at(this.rollouts, which) : null,
        snap_id: scope === 'snap' || scope === 'revision' ? snapOf(snap) : null,
        revision: scope === 'revision' ? number : null,
      });
    }
    for (const { snap, revision: number } of rules.floors)
      await this.insert('floors', {
        ...common,
        lane_id: this.lane(snapOf(snap) ?? '', 'latest/stable'),
        revision: number,
      });
    for (const { snap, revision: number } of rules.yanked)
      await this.owner.query(
        'UPDATE store.snap_revisions SET yanked_at = app.now() WHERE snap_id = $1 AND revision = $2',
        [snapOf(snap), number],
      );
  }
}
