import { bucket, EVERYBODY, shareThreshold } from '../buckets.js';
import type { Reason } from '../decision.js';
import type { RequestFacts } from '../facts.js';
import { factReader } from '../fleets.js';
import type { LiveRollout, WavePolicy } from '../policy/snapshot.js';
import { evaluate } from '../predicates.js';
import type { RampedWave } from '../ramp.js';
import { earliestAdmission, thresholdAt } from '../ramp.js';
import type { Poll } from './case.js';

/** What a rollout of a snap and one of a set sequence have in common. */
export interface Admitting {
  readonly rolloutId: string;
  readonly name: string;
  readonly salt: string;
  readonly waves: readonly WavePolicy[];
}

export interface Admission {
  readonly isAdmitted: boolean;
  readonly reason: Reason;
}

type OpenWave = RampedWave & Pick<WavePolicy, 'no'>;

/** No wave is open: nobody has a bucket below 0. */
const NO_WAVE: OpenWave = { no: 0, threshold: 0, prevThreshold: 0, rampMs: 0, activeMsAtOpen: 0 };

/** The last opened wave that has a threshold: thresholds only rise, so it speaks for those before it. */
function currentWave(waves: readonly WavePolicy[], t: number): OpenWave {
  for (let i = waves.length - 1; i >= 0; i -= 1) {
    const wave = waves[i];
    if (!wave || wave.threshold === null || wave.openedAt === null || wave.openedAt > t) continue;
    return wave as OpenWave; // the threshold was just seen
  }
  return NO_WAVE;
}

/** Whether an opened wave lets the device in – its selector names it, or its bucket is below T(t) – and where it stands. */
export function admission(
  { device, t }: Pick<Poll, 'device' | 't'>,
  context: RequestFacts['context'],
  { rolloutId, name: rollout, salt, waves }: Admitting,
  live: LiveRollout,
  target: number,
): Admission {
  const rule = { kind: 'rollout', id: rolloutId } as const;
  const admit = (detail: Record<string, number | string>): Admission => ({
    isAdmitted: true,
    reason: { code: 'ROLLOUT_ADMITTED', rule, detail },
  });
  for (const { no, selector, openedAt } of waves) {
    if (selector === null || openedAt === null || openedAt > t) continue;
    if (evaluate(selector, factReader(device, context)))
      return admit({ rollout, target, wave: no, by: 'selector' });
  }
  const wave = currentWave(waves, t);
  const threshold = thresholdAt(wave, live, t);
  // Everybody is let in unhashed: a rollout spends most of its time at 100 %.
  if (threshold >= EVERYBODY) return admit({ rollout, target, wave: wave.no, threshold });
  const own = bucket(salt, device.uid ?? '');
  const detail: Record<string, number | string> = {
    rollout,
    target,
    wave: wave.no,
    threshold,
    bucket: own,
  };
  if (own < threshold) return admit(detail);
  const earliest = earliestAdmission(wave, live, own, t);
  const next = earliest === null ? waveToCome(waves, own) : undefined;
  if (earliest !== null) detail['earliest'] = earliest;
  if (next) detail['expectedWave'] = next.no;
  return { isAdmitted: false, reason: { code: 'NOT_IN_WAVE', rule, detail } };
}

/** The first wave not yet opened whose share the bucket is in: an estimate, its threshold is frozen when it opens. */
function waveToCome(waves: readonly WavePolicy[], own: number): WavePolicy | undefined {
  return waves.find(
    (w) => w.openedAt === null && w.percent !== null && own < shareThreshold(w.percent),
  );
}
