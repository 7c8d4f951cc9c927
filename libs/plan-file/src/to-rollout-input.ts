import { durationSeconds } from './duration.js';
import { DAYS, type PlanFile, type PlanPredicate } from './plan-file.schema.js';

type Wave = NonNullable<PlanFile['waves']>[number];
type Window = NonNullable<NonNullable<PlanFile['schedule']>['windows']>[number];

/** What only the store can say of the names in the file. */
export interface PlanIds {
  readonly fleetId: string;
  readonly supersedes: string | undefined;
  readonly inheritSaltFrom: string | undefined;
}

interface WaveInput extends Omit<
  Wave,
  'soak' | 'deadline' | 'manual' | 'selector' | 'externalGates'
> {
  readonly externalGates?:
    readonly { readonly name: string; readonly timeoutSeconds?: number | undefined }[] | undefined;
  readonly selector?: PlanPredicate | undefined;
  readonly soakSeconds?: number | undefined;
  readonly deadlineSeconds?: number | undefined;
  readonly isManual?: boolean | undefined;
}

/** The store's `RolloutInput`; members that were not said are undefined. */
export interface RolloutInput extends Omit<
  PlanFile,
  'fleet' | 'revision' | 'waves' | 'schedule' | 'critical' | 'latestStart'
> {
  readonly fleetId: string;
  readonly revision?: number | undefined;
  readonly revisions?: Readonly<Record<string, number>> | undefined;
  readonly waves?: readonly WaveInput[] | undefined;
  readonly schedule?: object | undefined;
  readonly isCritical?: boolean | undefined;
  readonly latestStartSeconds?: number | undefined;
}

/** What the store is asked for, of a plan. */
export function toRolloutInput(plan: PlanFile, ids: PlanIds): RolloutInput {
  const { fleet: _name, revision, waves, schedule, critical, latestStart, ...same } = plan;
  return {
    ...same,
    ...ids,
    ...(typeof revision === 'object' ? { revisions: revision } : { revision }),
    waves: waves?.map(waveInput),
    schedule: schedule && {
      windows: (schedule.windows ?? []).map(windowInput),
      freezes: schedule.freezes ?? [],
    },
    isCritical: critical,
    latestStartSeconds: seconds(latestStart),
  };
}

const waveInput = ({ soak, deadline, manual, externalGates, ...same }: Wave): WaveInput => ({
  ...same,
  externalGates: externalGates?.map(({ name, timeout }) => ({
    name,
    timeoutSeconds: seconds(timeout),
  })),
  soakSeconds: seconds(soak),
  deadlineSeconds: seconds(deadline),
  isManual: manual,
});

const windowInput = ({ days = [...DAYS], ...same }: Window): object => ({
  ...same,
  days: days.map((day) => DAYS.indexOf(day) + 1),
});

const seconds = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : durationSeconds(text);
