/** As assertions carry times: UTC, whole seconds (assertions.md 2). */
export const timestamp = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;
