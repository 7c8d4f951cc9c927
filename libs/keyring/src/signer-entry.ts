import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Arguments of `node` that start the signer process: the built file beside this one, or, where the sources themselves run
 * (Vitest), the source file behind a loader, so that tests never meet an older build.
 */
export function signerArguments(): readonly string[] {
  const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const built = beside('./signer-process.js');
  if (existsSync(built)) return [built];
  const loader = new URL('../testing/run-sources.mjs', import.meta.url).href;
  return ['--conditions=source', '--import', loader, beside('./signer-process.ts')];
}
