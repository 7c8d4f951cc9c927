import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';

const MAIN = join(import.meta.dirname, '../../../dist/bundles/brandstore.js');
const LIMIT_MS = 60_000;

export interface CliRun {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
  /** Standard output as JSON. */
  json<T>(): T;
}

/** Somebody at a terminal of their own, with their own settings folder: runs the built `brandstore`. */
export class CliUser {
  readonly configDir = mkdtempSync(join(inject('stackDir'), 'cli-'));

  constructor(private readonly env: Readonly<Record<string, string>> = {}) {}

  with(env: Readonly<Record<string, string>>): CliUser {
    return Object.assign(new CliUser({ ...this.env, ...env }), { configDir: this.configDir });
  }

  /** Without a terminal; `input` is standard input. `heard` gets what standard error has said, whenever it says more. */
  run(args: readonly string[], input = '', heard = (_err: string): void => {}): Promise<CliRun> {
    const child = spawn(process.execPath, [MAIN, ...args], { env: this.environment });
    child.stdin.on('error', () => {}).end(input);
    return this.finished(child, () => {}, heard);
  }

  /** In a terminal; `typed` are words to wait for and what is then typed. What the terminal showed is `out`. */
  runInTerminal(
    args: readonly string[],
    typed: readonly (readonly [shown: string, answer: string])[] = [],
  ): Promise<CliRun> {
    const command = [process.execPath, MAIN, ...args].map(quoted).join(' ');
    const child = spawn('script', ['-qefc', command, '/dev/null'], {
      env: { ...this.environment, TERM: 'xterm', COLUMNS: '120' },
    });
    const left = [...typed];
    let seen = 0;
    return this.finished(child, (out) => {
      const [next] = left;
      if (next === undefined || !out.slice(seen).includes(next[0])) return;
      left.shift();
      seen = out.length;
      child.stdin.write(`${next[1]}\r`);
    });
  }

  private get environment(): NodeJS.ProcessEnv {
    const { PATH, TMPDIR } = process.env;
    return { PATH, TMPDIR, HOME: this.configDir, XDG_CONFIG_HOME: this.configDir, ...this.env };
  }

  private async finished(
    child: ReturnType<typeof spawn>,
    watch: (out: string) => void,
    heard = (_err: string): void => {},
  ): Promise<CliRun> {
    let out = '';
    let err = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => watch((out += text)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => heard((err += text)));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const status = await Promise.race([ended, sleep(LIMIT_MS, 'late' as const, { ref: false })]);
    if (status === 'late') {
      child.kill('SIGKILL');
      throw new Error(`cannot wait any longer for the command: ${out}${err}`);
    }
    return { status, out, err, json: <T>() => JSON.parse(out) as T };
  }
}

/** `script` of util-linux gives a command a terminal; other systems have another one of that name, or none. */
export const hasTerminal =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
