export { EventReader } from './event-reader.js';
