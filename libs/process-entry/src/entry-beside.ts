import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** How `node` or a `Worker` starts a file. */
export interface Entry {
  readonly file: string;
  readonly execArgv: readonly string[];
}

/**
 * The file `name` (without extension) beside the module at `moduleUrl`, to be started in a process or on a thread of its own: the
 * built one, or, where the sources themselves run (Vitest), the source behind a loader, so that tests never meet an older build.
 */
export function entryBeside(moduleUrl: string, name: string): Entry {
  const beside = (extension: string): string =>
    fileURLToPath(new URL(`./${name}${extension}`, moduleUrl));
  const built = beside('.js');
  if (existsSync(built)) return { file: built, execArgv: [] };
  const loader = new URL('../testing/run-sources.mjs', import.meta.url).href;
  return { file: beside('.ts'), execArgv: ['--conditions=source', '--import', loader] };
}
