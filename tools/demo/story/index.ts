export { CHAPTERS, type Chapter } from './tell.js';
export { DEMO_SCALE, known, type Refusal, type Story, type StoryScale } from './story.js';
export { storyKeys, type StoryKeys } from './story-keys.js';
export { startStory, type StoryOptions } from './start-story.js';
export { outcome, summary, type Row } from './summary.js';
