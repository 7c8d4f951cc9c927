import { DeviceRolloutState, Rollout, RolloutCounts, tellOfDevices } from '#libs/database';
import type { LadderState } from '#libs/update-control';
import { In } from 'typeorm';
import { performAct } from '../brands/act.js';
import type { Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requireUuid } from '../rollouts/find.js';
import { rolloutView, type RolloutView } from '../rollouts/rollout-view.js';
import type { Counts } from './rollout-counts.js';
import { writeObservations } from './write-observations.js';

/** How far a device came with the target of one rollout (update-control.md 2.7). */
export interface DeviceProgress extends LadderState {
  readonly rolloutId: string;
  readonly instanceKey: string;
  readonly snapId: string;
  /** The target for this device. */
  readonly revision: number;
  readonly acknowledgedAt: Date | null;
}

/** What a rollout's devices came to, by the last count, and what its gates said of that. */
export interface RolloutHealth {
  readonly countedAt: Date | null;
  readonly counts: Counts | null;
  readonly judged: unknown;
}

const BATCH = 1_000;

/** What people ask about signals, and the one thing that they say: try again. */
export class SignalService {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /** Newest first; also of rollouts that have ended. */
  async ofDevice(brandId: string, deviceUid: string): Promise<DeviceProgress[]> {
    const rows = await this.resources.db.asBrand(brandId, (tx) =>
      tx.find(DeviceRolloutState, { where: { brandId, deviceUid }, order: { updatedAt: 'DESC' } }),
    );
    return rows.map(({ rolloutId, instanceKey, snapId, revision, acknowledgedAt, state }) => ({
      // Written by writeObservations only.
      ...(state as LadderState),
      ...{ rolloutId, instanceKey, snapId, revision, acknowledgedAt },
    }));
  }

  async ofRollout(brandId: string, rolloutId: string): Promise<RolloutHealth> {
    const row = await this.resources.db.asBrand(brandId, (tx) =>
      tx.findOneBy(RolloutCounts, { rolloutId, brandId }),
    );
    return {
      countedAt: row?.countedAt ?? null,
      counts: (row?.counts ?? null) as Counts | null,
      judged: row?.judged ?? null,
    };
  }

  /** Devices that failed on the target are offered it again: those that were given up, too (U73). */
  retryFailed(
    who: Principal,
    brandId: string,
    order: { readonly rolloutId: string; readonly idempotencyKey?: string | undefined },
  ): Promise<RolloutView> {
    const { idempotencyKey, ...request } = order;
    const rolloutId = requireUuid(order.rolloutId, 'rollout');
    const act = { who, brandId, action: 'retry-failed', idempotencyKey, request };
    return performAct(this.resources.db, act, async (tx) => {
      const rollout = await tx.findOneBy(Rollout, { id: rolloutId, brandId });
      if (rollout === null)
        throw new OperationError('not-found', `cannot find rollout ${rolloutId}`);
      const where = { rolloutId, step: In(['FAILED', 'LOOPING']) };
      const failed = await tx.find(DeviceRolloutState, { where, order: { deviceUid: 'ASC' } });
      const at = this.resources.db.clock.now().getTime();
      const observations = failed.map(({ deviceUid, instanceKey, snapId, revision }) => ({
        ...{ brandId, deviceUid, instanceKey, snapId, at },
        about: { rolloutId, revision, evidence: { kind: 'rearm' as const }, soakMs: 0 },
      }));
      for (let start = 0; start < observations.length; start += BATCH)
        await writeObservations(tx, observations.slice(start, start + BATCH));
      await tellOfDevices(
        tx,
        failed.map(({ deviceUid }) => deviceUid),
      );
      const detail = { devices: failed.length };
      return { result: rolloutView(rollout), subject: `rollout:${rolloutId}`, detail };
    });
  }
}
