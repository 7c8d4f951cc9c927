/** What is wrong with a model before devices find out: the JSON before signing, or the signed assertion (S11). */
export { lintModel } from './lint-model.js';
export type { Finding, LintContext, LintReport } from './finding.js';
