import { waveOf } from '#libs/operations';
import { readPlanFile, toRolloutInput, type PlanFile } from '#libs/plan-file';
import { DEFAULT_WAVES, type WavePlan } from '#libs/update-control';

/** What a rehearsal can show of a brand's own plan. */
export interface RehearsedPlan {
  readonly waves: readonly WavePlan[];
  /** In words: virtual devices have no tags, the rehearsal no other snaps, and nobody who passes a gate by hand. */
  readonly leftOut: readonly string[];
}

/** Reads a plan file. Throws a `PlanFileError` with its faults, or an Error when nothing of it can be rehearsed. */
export function rehearsedPlan(text: string): RehearsedPlan {
  const { plan } = readPlanFile(text);
  const ids = { fleetId: '', supersedes: undefined, inheritSaltFrom: undefined };
  const said = toRolloutInput(plan, ids).waves?.map(waveOf) ?? DEFAULT_WAVES;
  const waves = said
    .filter(({ size }) => size !== null)
    .map((wave): WavePlan => ({ ...wave, selector: null, gates: [] }));
  if (waves.length === 0)
    throw new Error('cannot rehearse the plan: none of its waves has a share or a number');
  return { waves, leftOut: [...said.flatMap(leftOutOf), ...besides(plan)] };
}

function leftOutOf({ name, selector, size, gates }: WavePlan, index: number): string[] {
  const wave = `wave ${index + 1}${name === null ? '' : ` (${name})`}`;
  return [
    ...(selector === null ? [] : [`${wave}: ${size === null ? 'the whole' : 'its selector'}`]),
    ...gates.map((gate) => `${wave}: gate "${gate.name}", which counts as passed`),
  ];
}

function besides({ schedule, requires }: PlanFile): string[] {
  return [
    ...(schedule?.windows?.length ? ['its windows'] : []),
    ...(schedule?.freezes?.length ? ['its freezes'] : []),
    ...(requires?.length ? ['what it requires'] : []),
  ];
}
