import type { RolloutPlan } from '#libs/update-control';
import type { Member } from './fleet-members.js';

/** Whether a member is anybody whom the plan moves: a rollback leaves those alone that never had what it takes back (U94). */
export function isConcerned(
  { replaces, target }: Pick<RolloutPlan, 'replaces' | 'target'>,
  { architecture, fact }: Pick<Member, 'architecture' | 'fact'>,
): boolean {
  if (replaces === null || target.kind !== 'revision') return true;
  const revision = replaces[architecture ?? ''] ?? replaces['all'];
  return revision !== undefined && fact(`snap:${target.snapId}:revision`) === revision;
}
