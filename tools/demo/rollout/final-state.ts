import type { RolloutAccount } from '../../clients/brand-admin.js';
import { asColleague } from './colleagues.js';
import { SNAP, type RolloutStory } from './rollout-story.js';

type Wave = Pick<
  RolloutAccount['waves'][number],
  'no' | 'state' | 'threshold' | 'population' | 'k'
>;

/** All that must not depend on what broke on the way. */
export interface FinalState {
  readonly state: string;
  readonly waves: readonly Wave[];
  readonly progress: RolloutAccount['progress'];
  /** Without times and names. */
  readonly transitions: readonly string[];
  /** Serial number → revision, as the store has it. */
  readonly installed: Readonly<Record<string, number>>;
}

/** What the store says of the end. */
export async function finalState(story: RolloutStory): Promise<FinalState> {
  const planner = await asColleague(story, story.planner);
  const { state, waves, progress, transitions } = await planner.rolloutAccount(
    story.brandId,
    story.rolloutId,
  );
  const snapId = story.devices[0]?.installed.snapId ?? '';
  return {
    state,
    waves: waves.map(({ no, state: now, threshold, population, k }) => ({
      ...{ no, state: now, threshold, population, k },
    })),
    progress,
    transitions: transitions.map(
      ({ fromState, toState, actor, cause }) =>
        `${fromState ?? 'new'} → ${toState} by ${actor.replace(/:.*/, '')}: ${cause}`,
    ),
    installed: await planner.installedRevisions(story.brandId, snapId),
  };
}

/** The final table of the demo. */
export function finalRows({ state, waves, progress, transitions }: FinalState): string[][] {
  return [
    ['rollout', state],
    ...waves.map(({ no, state: now, k, population }) => [
      `wave ${no}: ${now}`,
      `${k} of ${population} admitted, ${progress[no - 1]?.updated} updated by it`,
    ]),
    [
      'devices on revision 2 of ' + SNAP,
      String(progress.reduce((all, one) => all + one.updated, 0)),
    ],
    ...transitions.map((line, index) => [`transition ${index + 1}`, line]),
  ];
}
