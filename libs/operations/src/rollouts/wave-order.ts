import {
  DEFAULT_HEALTH,
  type ExtraGate,
  type HealthGate,
  type Predicate,
  type WavePlan,
} from '#libs/update-control';
import { defined, milliseconds } from './said-values.js';

/** When a wave is well; what is not said has the defaults of update-control.md 2.7. */
export interface HealthOrder {
  readonly minSample?: number | undefined;
  readonly successPercent?: number | undefined;
  readonly coveragePercent?: number | undefined;
  readonly failPercent?: number | undefined;
  /** So many failures are enough, however small the sample. */
  readonly failCount?: number | undefined;
}

export interface ExternalGateOrder {
  readonly name: string;
  /** Nothing said by then: inconclusive. The wave's deadline, if not said. */
  readonly timeoutSeconds?: number | undefined;
}

/** A wave as a release manager says it; what is not said has the defaults of update-control.md 2.7. */
export interface WaveOrder {
  readonly name?: string | undefined;
  readonly percent?: number | undefined;
  readonly count?: number | undefined;
  readonly minCount?: number | undefined;
  /** Who is admitted besides, whatever their bucket. */
  readonly selector?: unknown;
  readonly devicesPerHour?: number | undefined;
  readonly soakSeconds?: number | undefined;
  readonly deadlineSeconds?: number | undefined;
  readonly health?: HealthOrder | undefined;
  /** What the brand's own telemetry must say PASS to, each within its time (update-control.md 2.7). */
  readonly externalGates?: readonly ExternalGateOrder[] | undefined;
  /** The next wave waits for `advance`, a person's word. */
  readonly isManual?: boolean | undefined;
}

/** The gate behind `isManual`. */
export const MANUAL_GATE: ExtraGate = { kind: 'manual', name: 'advance' };

/** The wave with every default written out; `planProblems` checks it. */
export function waveOf(order: WaveOrder): WavePlan {
  const size = defined({ percent: order.percent, count: order.count, minCount: order.minCount });
  const soakMs = milliseconds(order.soakSeconds) ?? 24 * 3_600_000;
  const deadlineMs = milliseconds(order.deadlineSeconds) ?? soakMs + 7 * 24 * 3_600_000;
  return {
    name: order.name ?? null,
    size: order.percent === undefined && order.count === undefined ? null : size,
    // Checked by planProblems before it is stored.
    selector: (order.selector ?? null) as Predicate | null,
    devicesPerHour: order.devicesPerHour ?? null,
    soakMs,
    deadlineMs,
    health: healthOf(order.health ?? {}),
    gates: [
      ...(order.isManual === true ? [MANUAL_GATE] : []),
      ...(order.externalGates ?? []).map(({ name, timeoutSeconds }) => ({
        kind: 'external' as const,
        name,
        timeoutMs: milliseconds(timeoutSeconds) ?? deadlineMs,
      })),
    ],
  };
}

function healthOf(order: HealthOrder): HealthGate {
  return {
    ...DEFAULT_HEALTH,
    ...defined({
      minSample: order.minSample,
      successPpm: ppm(order.successPercent),
      coveragePpm: ppm(order.coveragePercent),
      failPpm: ppm(order.failPercent),
      failAbs: order.failCount,
    }),
  };
}

const ppm = (percent: number | undefined): number | undefined =>
  percent === undefined ? undefined : Math.round(percent * 10_000);
