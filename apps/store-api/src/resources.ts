/** Injection token of the process's `Resources`. */
export const RESOURCES = 'RESOURCES';
