export { EventFeed } from './event-feed.js';
export { EventReader } from './event-reader.js';
export { RolloutFeed } from './rollout-feed.js';
export { NoticeService } from './notice.service.js';
