export { entryBeside, type Entry } from './entry-beside.js';
