import { Rollout, Wave, addToOutbox } from '#libs/database';
import type { RolloutState } from '#libs/update-control';
import type { Resources } from '../resources.js';
import { activeMsOf, lockRollout } from './move-rollout.js';
import { PreviewService } from './preview/preview.service.js';
import { isPromotionCompiled } from './promotion.js';
import { RolloutStep, type StepOutcome } from './rollout-step.js';
import { isOver, startIfDue } from './start-if-due.js';
import { stepWaves } from './step-waves.js';
import { measureWave } from './wave-freeze.js';

/** How long after its last look a rollout that completes looks for its baseline again. */
const SNAPSHOT_PATIENCE_MS = 1_000;
/** More steps than any plan has waves: a tick that never ends would be a bug. */
const MAX_STEPS = 1_000;

/**
 * What time does with rollouts (update-control.md 2.5, 2.6). Each step is one transaction on what the database says now,
 * so that running twice, late or early does nothing that is not due.
 */
export class RolloutProgressService {
  private readonly previews: PreviewService;

  constructor(private readonly resources: Resources) {
    this.previews = new PreviewService(resources);
  }

  /** Takes every step that is due. */
  async tick(brandId: string, rolloutId: string): Promise<void> {
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      const outcome = await this.locked(brandId, rolloutId, takeStep);
      // A rollout that was sent back to its approvers is shown to them as it is now.
      if (outcome === 'nothing')
        return steps > 0 ? this.previews.ensure(brandId, rolloutId) : undefined;
      if (outcome !== 'stepped') await this.freeze(brandId, rolloutId, outcome.freeze);
    }
    throw new Error(`internal error: rollout ${rolloutId} does not come to rest`);
  }

  /**
   * Counts the members of a wave that is OPENING and opens it. The count is made outside of the writing transaction; the
   * threshold is written once, by whoever is first.
   */
  async freeze(brandId: string, rolloutId: string, no: number): Promise<void> {
    const { db } = this.resources;
    const measured = await db.asBrand(brandId, async (tx) => {
      const row = await tx.findOneBy(Rollout, { id: rolloutId, brandId });
      const wave = await tx.findOneBy(Wave, { rolloutId, no });
      if (row?.state !== 'ACTIVE' || wave?.state !== 'OPENING') return null;
      return measureWave(tx, row, new RolloutStep(tx, row, db.clock.now()).fleet, no);
    });
    if (measured === null) return;
    await this.locked(brandId, rolloutId, async (step) => {
      const { tx, row, now } = step;
      if (row.state !== 'ACTIVE') return 'nothing';
      const wave = await tx.findOneByOrFail(Wave, { rolloutId, no });
      if (wave.state !== 'OPENING' || wave.threshold !== null) return 'nothing';
      const activeMsAtOpen = activeMsOf(row, now);
      await step.moveWave(wave, 'frozen', {
        ...measured,
        ...{ openedAt: now, attemptAt: now, activeMsAtOpen },
      });
      await tx.update(Rollout, { id: row.id }, { nextDueAt: now });
      await addToOutbox(tx, 'stats-rollup', { rolloutId, brandId });
      await addToOutbox(tx, 'rollout-tick', { rolloutId, brandId, rev: row.rev });
      return 'stepped';
    });
  }

  /** In one transaction, on the rollout's row as it is once it is locked. */
  private locked(
    brandId: string,
    rolloutId: string,
    work: (step: RolloutStep) => Promise<StepOutcome>,
  ): Promise<StepOutcome> {
    const { db } = this.resources;
    return db.asBrand(brandId, async (tx) => {
      const row = await lockRollout(tx, brandId, rolloutId);
      return row === null ? 'nothing' : work(new RolloutStep(tx, row, db.clock.now()));
    });
  }
}

/** What is due in each state; the others wait for a person. */
async function takeStep(step: RolloutStep): Promise<StepOutcome> {
  const { tx, row, plan } = step;
  // Only moveRollout writes states, those of the table.
  switch (row.state as RolloutState) {
    case 'PENDING_APPROVAL':
      return isOver(step)
        ? step.expire('not approved in time', { expiresAt: plan.expiresAt })
        : 'nothing';
    case 'SCHEDULED':
      return startIfDue(step);
    case 'ACTIVE':
      return stepWaves(step);
    case 'COMPLETING':
      if (!(await isPromotionCompiled(tx, row))) return step.wait(SNAPSHOT_PATIENCE_MS);
      return step.move({
        event: 'settle',
        cause: 'completed',
        evidence: { promote: plan.promote },
        nextDueAt: null,
      });
    default:
      return 'nothing';
  }
}
