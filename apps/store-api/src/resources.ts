/** Injection token of the process's `Resources`. */
export const RESOURCES = 'RESOURCES';
/** Injection token of the process's `Metrics`. */
export const METRICS = 'METRICS';
