import { Wave, acknowledgeFailures, addToOutbox, type Rollout, type Tx } from '#libs/database';
import { FAILURES, nextWaveState } from '#libs/update-control';
import type { Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { approvalsRequired, approversOf } from './approval-count.js';
import { moveRollout, tooLate } from './move-rollout.js';
import { findPause, type Pause } from './pause.js';
import { actOnRollout, by, planOfRow, type RolloutAct } from './rollout-act.js';
import { tellOfWave } from './rollout-events.js';
import { rolloutView, type RolloutView } from './rollout-view.js';
import { stopsOf } from './stopped-rollouts.js';

/** What people do with a rollout under way (update-control.md 2.5). */
export class RolloutControlService {
  constructor(private readonly resources: Resources) {}

  /** Devices not yet on the target count as not admitted; those on it stay. */
  pause(who: Principal, brandId: string, act: RolloutAct): Promise<RolloutView> {
    return actOnRollout(this.resources, who, brandId, 'pause-rollout', act, async (tx, row) =>
      moveRollout(tx, this.now, row, {
        event: 'pause',
        ...by(who, 'paused', act.reason),
        evidence: await standing(tx, row),
        nextDueAt: null,
      }),
    );
  }

  /**
   * Goes on where it stood. After an automatic pause: with the failures named that were seen, and with another person's
   * approval. Throws `conflict` while a stop has the rollout in its scope.
   */
  resume(
    who: Principal,
    brandId: string,
    act: RolloutAct & { readonly acknowledges?: string | undefined },
  ): Promise<RolloutView> {
    return actOnRollout(this.resources, who, brandId, 'resume-rollout', act, async (tx, row) => {
      const pause = await findPause(tx, row);
      if (pause === null) throw tooLate(row, 'resume');
      const [stop] = await stopsOf(tx, row);
      if (stop !== undefined)
        throw new OperationError('conflict', `cannot resume while stopped: ${stop.reason}`, {
          current: rolloutView(row),
        });
      if (pause.isAutomatic) await requireSecondLook(tx, who, row, pause, act.acknowledges);
      await judgeAnew(tx, row, this.now, isOfGates(pause));
      return moveRollout(tx, this.now, row, {
        event: 'resume',
        ...by(who, 'resumed', act.reason),
        evidence: {
          ...(await standing(tx, row)),
          ...(pause.isAutomatic && {
            acknowledges: pause.evidenceHash,
            approvedBy: await approversOf(tx, row),
          }),
        },
        nextDueAt: this.now,
      });
    });
  }

  /** No new offers; nobody is moved back. */
  abort(who: Principal, brandId: string, act: RolloutAct): Promise<RolloutView> {
    return actOnRollout(this.resources, who, brandId, 'abort-rollout', act, async (tx, row) =>
      moveRollout(tx, this.now, row, {
        event: row.state === 'ACTIVE' || row.state === 'PAUSED' ? 'abort' : 'cancel',
        ...by(who, 'aborted', act.reason),
        evidence: await standing(tx, row),
        nextDueAt: null,
      }),
    );
  }

  /** A person's word that a wave is good (none named: the open one), where the plan asks for it. Said twice of one wave, it is said once. */
  advance(
    who: Principal,
    brandId: string,
    act: RolloutAct & { readonly waveNo?: number | undefined },
  ): Promise<RolloutView> {
    return actOnRollout(this.resources, who, brandId, 'advance-rollout', act, async (tx, row) => {
      const waves = await tx.findBy(Wave, { rolloutId: row.id });
      const wave = waves.find(({ no, state }) =>
        act.waveNo === undefined ? state === 'OPEN' : no === act.waveNo,
      );
      if (wave === undefined) throw tooLate(row, 'advance a wave of');
      const gates = planOfRow(row).waves[wave.no - 1]?.gates ?? [];
      if (!gates.some(({ kind }) => kind === 'manual'))
        throw new OperationError(
          'invalid',
          `cannot advance wave ${wave.no}: its plan has no manual gate`,
          { paths: ['wave'] },
        );
      if (wave.advancedAt !== null) return row;
      if (row.state !== 'ACTIVE' || wave.state !== 'OPEN')
        throw tooLate(row, `advance wave ${wave.no} of`);
      await tx.update(
        Wave,
        { rolloutId: row.id, no: wave.no },
        { advancedAt: this.now, rev: wave.rev + 1 },
      );
      await addToOutbox(tx, 'rollout-tick', { rolloutId: row.id, brandId, rev: row.rev });
      return row;
    });
  }

  private get now(): Date {
    return this.resources.db.clock.now();
  }
}

/** How far it has come: the wave that is the last opened one, and how many devices it admits. */
async function standing(tx: Tx, row: Rollout): Promise<Record<string, number | string | null>> {
  const waves = await tx.find(Wave, { where: { rolloutId: row.id }, order: { no: 'ASC' } });
  const last = waves.findLast(({ state }) => state !== 'WAITING');
  return last === undefined
    ? { wave: null }
    : { wave: last.no, waveState: last.state, k: last.k, population: last.population };
}

/** Whether failures were what paused it: who goes on after a stop has acknowledged none. */
const isOfGates = ({ isAutomatic, evidence }: Pause): boolean =>
  isAutomatic && Object.hasOwn(evidence as object, 'gates');

/**
 * The wave that was open, or closed by its gates, is judged from now on: another attempt on the same threshold, with another
 * deadline. What an acknowledged pause rests on counts no more, one new failure does (U52).
 */
async function judgeAnew(tx: Tx, row: Rollout, now: Date, hasAcknowledged: boolean): Promise<void> {
  const waves = await tx.find(Wave, { where: { rolloutId: row.id }, order: { no: 'DESC' } });
  const wave = waves.find(({ state }) => state !== 'WAITING');
  const state = wave && (nextWaveState(wave.state, 'retry') ?? wave.state);
  if (wave === undefined || state !== 'OPEN') return;
  const isRetry = wave.state !== 'OPEN';
  const { no, rev, attempt, population, k } = wave;
  await tx.update(
    Wave,
    { rolloutId: row.id, no, rev },
    {
      ...{ state, attemptAt: now, rev: rev + 1 },
      ...(isRetry && { attempt: attempt + 1, finishedAt: null, advancedAt: null }),
    },
  );
  if (hasAcknowledged) await acknowledgeFailures(tx, row.id, FAILURES);
  await addToOutbox(tx, 'stats-rollup', { rolloutId: row.id, brandId: row.brandId });
  if (isRetry) await tellOfWave(tx, row, { no, population, k }, 'retry');
}

/** After an automatic pause: the failures are named, and somebody else has agreed. */
async function requireSecondLook(
  tx: Tx,
  who: Principal,
  row: Rollout,
  pause: Pause,
  acknowledges: string | undefined,
): Promise<void> {
  const current = rolloutView(row);
  if (acknowledges === undefined)
    throw new OperationError(
      'invalid',
      'cannot resume after an automatic pause without acknowledges: name the evidence that you saw',
      { paths: ['acknowledges'] },
    );
  if (acknowledges !== pause.evidenceHash)
    throw new OperationError('conflict', 'cannot resume: there is other evidence than you saw', {
      current: { ...current, evidenceHash: pause.evidenceHash },
    });
  if ((await approvalsRequired(tx, row.brandId)) === 0) return;
  const others = (await approversOf(tx, row)).filter((personId) => personId !== who.personId);
  if (others.length === 0)
    throw new OperationError(
      'forbidden',
      'cannot resume after an automatic pause: another person must approve it first',
    );
}
