export { ForeignRootService, type ForeignRootView } from './foreign-root.service.js';
export { ImportService, type ImportedSnap, type ImportOrder } from './import.service.js';
