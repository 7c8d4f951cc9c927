import { recordEvent } from '#libs/database';
import { RolloutCountService, RolloutProgressService, type Resources } from '#libs/operations';
import { still, type SeededBrand, type World } from './world.js';

/** One run of a job with something to do: `prepare` brings the brand there and answers what the job is given. */
export interface Scenario {
  readonly title: string;
  readonly job: string;
  readonly prepare: (
    world: World,
    resources: Resources,
    brand: SeededBrand,
  ) => Promise<Readonly<Record<string, unknown>>>;
}

const everybody = [{ percent: 100, soakSeconds: 0, health: { minSample: 0, coveragePercent: 0 } }];

async function opening(
  world: World,
  resources: Resources,
  brand: SeededBrand,
  waves?: typeof everybody,
): Promise<{ rolloutId: string; brandId: string }> {
  const rolloutId = await world.scheduled(resources, brand, waves && { waves });
  const { brandId } = brand;
  await new RolloutProgressService(still(resources)).tick(brandId, rolloutId);
  return { rolloutId, brandId };
}

async function open(
  world: World,
  resources: Resources,
  brand: SeededBrand,
  waves?: typeof everybody,
): Promise<Readonly<Record<string, unknown>>> {
  const ids = await opening(world, resources, brand, waves);
  await new RolloutProgressService(still(resources)).freeze(ids.brandId, ids.rolloutId, 1);
  return { ...ids, rev: 1 };
}

/** The same, and its devices are counted: only then a wave passes. */
async function counted(
  ...given: Parameters<typeof open>
): Promise<Readonly<Record<string, unknown>>> {
  const ids = await open(...given);
  const [, resources] = given;
  // The waves of this world open ahead of the clock: a count by the clock would be one of the time before.
  const counter = new RolloutCountService(still(resources));
  await counter.count(String(ids['brandId']), String(ids['rolloutId']));
  return { ...ids, rev: 1 };
}

/** Every job there is, in each situation that is another path through its handler. */
export const SCENARIOS: readonly Scenario[] = [
  {
    title: 'rollout-tick starts a rollout',
    job: 'rollout-tick',
    prepare: async (world, resources, brand) => ({
      rolloutId: await world.scheduled(resources, brand),
      brandId: brand.brandId,
      rev: 1,
    }),
  },
  {
    title: 'rollout-tick opens a wave whose freeze never came',
    job: 'rollout-tick',
    prepare: async (world, resources, brand) => {
      const ids = await opening(world, resources, brand);
      await world.rows(
        `UPDATE store.rollouts SET next_due_at = app.now() - interval '1 s' WHERE id = $1`,
        [ids.rolloutId],
      );
      return { ...ids, rev: 1 };
    },
  },
  { title: 'rollout-tick goes on to the next wave', job: 'rollout-tick', prepare: counted },
  {
    title: 'rollout-tick completes a rollout',
    job: 'rollout-tick',
    prepare: (world, resources, brand) => counted(world, resources, brand, everybody),
  },
  { title: 'stats-rollup counts the devices', job: 'stats-rollup', prepare: open },
  {
    title: 'wave-freeze opens a wave',
    job: 'wave-freeze',
    prepare: async (world, resources, brand) => ({
      ...(await opening(world, resources, brand)),
      waveNo: 1,
    }),
  },
  {
    title: 'notify-deliver sends',
    job: 'notify-deliver',
    prepare: async (world, resources, brand) => {
      const { brandId } = brand;
      await world.addWebhook(brand);
      await resources.db.asBrand(brandId, (tx) =>
        recordEvent(tx, { brandId, kind: 'quota-near', subject: `brand:${brandId}` }),
      );
      const [delivery] = await world.rows<{ id: string }>(
        'SELECT id FROM store.webhook_deliveries WHERE brand_id = $1',
        [brandId],
      );
      return { brandId, deliveryId: delivery?.id ?? '' };
    },
  },
  {
    title: 'make-deltas makes a delta',
    job: 'make-deltas',
    prepare: async (world, resources, { brandId, snapId }) => {
      await world.keepBytes(resources, snapId);
      await world.rows(
        'INSERT INTO store.delta_targets (snap_id, revision, brand_id) VALUES ($1, 2, $2)',
        [snapId, brandId],
      );
      return { brandId, snapId, revision: 2 };
    },
  },
  {
    title: 'audit-verify looks at the chain',
    job: 'audit-verify',
    prepare: (_world, _resources, { brandId }) => Promise.resolve({ brandId }),
  },
  {
    title: 'compile-policy compiles',
    job: 'compile-policy',
    prepare: (_world, _resources, { brandId }) => Promise.resolve({ brandId, version: 1 }),
  },
  {
    title: 'review-upload accepts and releases',
    job: 'review-upload',
    prepare: async (world, resources, brand) => ({
      uploadId: await world.uploaded(resources, brand, true),
      brandId: brand.brandId,
    }),
  },
  {
    title: 'review-upload rejects',
    job: 'review-upload',
    prepare: async (world, resources, brand) => ({
      uploadId: await world.uploaded(resources, brand, false),
      brandId: brand.brandId,
    }),
  },
];
