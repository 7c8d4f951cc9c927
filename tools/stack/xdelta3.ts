import { fromDebian, onPath, type Program } from './debian-package.js';

/**
 * The program that makes deltas: from PATH, else out of Debian's package.
 * @throws StackError `not-installed`
 */
export async function findDeltaProgram(log: (line: string) => void = () => {}): Promise<Program> {
  const howTo = 'apt-get install xdelta3 (Debian), brew install xdelta (macOS)';
  return (
    onPath(['xdelta3']) ??
    (await fromDebian({ name: 'xdelta3', program: 'xdelta3', packages: ['xdelta3'], howTo }, log))
  );
}
