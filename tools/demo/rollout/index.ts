export { badEndRows } from './5-bad-revision.js';
export {
  BAD_REVISION_CHAPTERS,
  ROLLOUT_CHAPTERS,
  startRolloutStory,
  type RolloutChapter,
} from './chapters.js';
export { finalRows, finalState, type FinalState } from './final-state.js';
export type { RolloutStory } from './rollout-story.js';
