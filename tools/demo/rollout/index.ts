export { ROLLOUT_CHAPTERS, startRolloutStory, type RolloutChapter } from './chapters.js';
export { finalRows, finalState, type FinalState } from './final-state.js';
export type { RolloutStory } from './rollout-story.js';
