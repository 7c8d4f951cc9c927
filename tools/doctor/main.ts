import { diagnose } from './diagnose.js';

/** `npm run doctor`: what there is for a store, and what is lost without the rest. Status 1 when something needed is missing. */
export function main(): number {
  const findings = diagnose(process.env);
  for (const { what, isThere, isOptional, detail } of findings) {
    const sign = isThere ? '✓' : isOptional ? '–' : '✗';
    process.stdout.write(`${sign} ${what.padEnd(9)} ${detail}\n`);
  }
  return findings.every(({ isThere, isOptional }) => isThere || isOptional) ? 0 : 1;
}
