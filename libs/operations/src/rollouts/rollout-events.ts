import { recordEvent, type EventKind, type Rollout, type Tx, type Wave } from '#libs/database';
import type { RolloutEvent, RolloutState, WaveEvent } from '#libs/update-control';
import type { Move } from './move.js';

/** Transitions that somebody has to do something about; the others are news of kind `rollout-state`. */
const KINDS: Partial<Record<RolloutEvent, EventKind>> = {
  submit: 'approval-requested',
  'break-glass': 'break-glass',
  'impact-grew': 'impact-grew',
};

/** The state that a transition leaves decides where its event alone does not say enough. */
const KINDS_FROM: Partial<Record<`${RolloutState} ${RolloutEvent}`, EventKind>> = {
  'PENDING_APPROVAL expire': 'approval-expired',
  'SCHEDULED expire': 'rollout-expired',
};

/** Tells of one transition (update-control.md 2.11); `detail` says from where to where, who, why and on what evidence. */
export function tellOfMove(
  tx: Tx,
  { id, brandId, name: title }: Rollout,
  step: { readonly from: RolloutState; readonly to: RolloutState; readonly rev: number },
  { event, actor, cause, evidence }: Move,
): Promise<void> {
  const isAutomaticPause = event === 'pause' && actor.startsWith('job:');
  const kind = isAutomaticPause
    ? 'auto-paused'
    : (KINDS_FROM[`${step.from} ${event}`] ?? KINDS[event] ?? 'rollout-state');
  return recordEvent(tx, {
    brandId,
    kind,
    subject: `rollout:${id}`,
    rolloutId: id,
    detail: { title, ...step, actor, cause, evidence },
  });
}

const WAVE_KINDS: Partial<Record<WaveEvent, EventKind>> = {
  frozen: 'wave-opened',
  retry: 'wave-opened',
  pass: 'wave-passed',
  fail: 'wave-failed',
  inconclusive: 'wave-inconclusive',
};

/** The same of a wave; nobody is told that one is about to open. */
export async function tellOfWave(
  tx: Tx,
  { id, brandId, name: title }: Rollout,
  { no, population, k }: Pick<Wave, 'no' | 'population' | 'k'>,
  event: WaveEvent,
  evidence: unknown = {},
): Promise<void> {
  const kind = WAVE_KINDS[event];
  if (kind === undefined) return;
  await recordEvent(tx, {
    brandId,
    kind,
    subject: `rollout:${id}`,
    rolloutId: id,
    detail: { title, wave: no, population, k, evidence },
  });
}

/** Tells of one person's yes or no; what became of the rollout by it is told by `tellOfMove`. */
export function tellOfVerdict(
  tx: Tx,
  { id, brandId, name: title, planHash }: Rollout,
  personId: string,
  verdict: 'approved' | 'rejected',
): Promise<void> {
  return recordEvent(tx, {
    brandId,
    kind: 'approval-decided',
    subject: `rollout:${id}`,
    rolloutId: id,
    detail: { title, planHash, verdict, personId },
  });
}
