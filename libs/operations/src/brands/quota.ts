import { In, IsNull, Not, Raw } from 'typeorm';
import { Fleet, Hold, Pin, Rollout, lockJournals, recordEvent, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';

/** Submitted, and not over yet. */
const UNDER_WAY = [
  'PENDING_APPROVAL',
  'SCHEDULED',
  'ACTIVE',
  'PAUSED',
  'COMPLETING',
  'ROLLING_BACK',
];

interface Quota {
  readonly most: number;
  readonly count: (tx: Tx, brandId: string) => Promise<number>;
}

/** What one brand may have of what each decision goes through (update-control.md 3.1, 3.4). */
const QUOTAS = {
  fleets: { most: 2_000, count: (tx, brandId) => tx.countBy(Fleet, { brandId }) },
  'rollouts under way': {
    most: 500,
    count: (tx, brandId) => tx.countBy(Rollout, { brandId, state: In(UNDER_WAY) }),
  },
  'pins and holds of devices': {
    most: 50_000,
    count: async (tx, brandId) => {
      const ofDevices = { brandId, deviceUid: Not(IsNull()), liftedAt: IsNull() };
      const until = Raw((column) => `(${column} IS NULL OR ${column} > app.now())`);
      const holds = await tx.countBy(Hold, { ...ofDevices, until });
      return holds + (await tx.countBy(Pin, ofDevices));
    },
  },
} satisfies Record<string, Quota>;
export type QuotaName = keyof typeof QUOTAS;

const NEAR_PERCENT = 90;

/**
 * After one more of them was added, in the same transaction: throws `conflict` beyond the quota, and tells the brand's people
 * when nine tenths are reached, once each time that they are.
 */
export async function keepQuota(tx: Tx, brandId: string, name: QuotaName): Promise<void> {
  const { most, count }: Quota = QUOTAS[name];
  // Every act takes it in the end: two additions are counted one after the other.
  await lockJournals(tx, brandId);
  const used = await count(tx, brandId);
  if (used > most)
    throw new OperationError('conflict', `cannot have more than ${most} ${name} in a brand`);
  if (used !== Math.ceil((most * NEAR_PERCENT) / 100)) return;
  await recordEvent(tx, {
    brandId,
    kind: 'quota-near',
    subject: `quota:${name}`,
    detail: { quota: name, used, most },
  });
}
