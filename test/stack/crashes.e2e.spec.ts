import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot, startStack } from '#stack';
import { isAlive } from './alive.js';
import { query } from './query.js';

let dir: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'brandstore crash ü-'));
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(killed));
  // Ends what a killed holder may have left, and removes the data wherever it lies.
  await (await startStack({ dir, ephemeral: true, env: {} })).stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Holder {
  readonly child: ChildProcess;
  readonly url: string;
  readonly postmaster: number;
  readonly dataDir: string;
}

/** A supervisor in a process of its own, with one table in its database. */
async function hold(): Promise<Holder> {
  const child = holderProcess();
  const first = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    child.once('exit', (status) => reject(new Error(`the holder ended with ${status}`)));
  });
  child.removeAllListeners('exit');
  const url = (JSON.parse(first) as Record<string, string>).DATABASE_URL ?? '';
  await query(url, 'CREATE TABLE IF NOT EXISTS kept AS SELECT generate_series(1, 1000) AS n');
  const [row] = await query(url, 'SHOW data_directory');
  const dataDir = row?.data_directory as string;
  return { child, url, dataDir, postmaster: pidIn(dataDir) };
}

function holderProcess(): ChildProcess {
  const script = join(projectRoot, 'dist/test/stack/holder.js');
  const child = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

const pidIn = (dataDir: string) =>
  Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** The detached child that a supervisor leaves to clean up after it. */
function watchdogOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const found = children.find((one) =>
    readFileSync(`/proc/${one}/cmdline`, 'utf8').includes('watched.set'),
  );
  if (found === undefined) throw new Error('cannot find the watchdog');
  return found;
}

async function expectIntact(): Promise<void> {
  const stack = await startStack({ dir, env: {}, isDurable: false });
  try {
    expect(await query(stack.env.DATABASE_URL, 'SELECT count(*)::int AS n FROM kept')).toEqual([
      { n: 1000 },
    ]);
  } finally {
    await stack.stop();
  }
}

const onLinux = process.platform === 'linux';

describe('after a crash (local-stack.md 6)', () => {
  it('of the supervisor, Postgres is stopped and the next start is normal', async () => {
    const { child, url, postmaster } = await hold();
    await killed(child);
    await expect.poll(() => isAlive(postmaster), { timeout: 8_000 }).toBe(false);
    await expect(query(url, 'SELECT 1')).rejects.toThrow();
    await expectIntact();
  });

  it.runIf(onLinux)(
    'of supervisor and watchdog, the orphaned Postgres is stopped, not adopted',
    async () => {
      const { child, url, postmaster } = await hold();
      process.kill(watchdogOf(child.pid ?? 0), 'SIGKILL');
      await killed(child);
      expect(isAlive(postmaster)).toBe(true);
      await expectIntact();
      expect(isAlive(postmaster)).toBe(false);
      await expect(query(url, 'SELECT 1')).rejects.toThrow();
    },
  );

  it.runIf(onLinux)(
    'of supervisor, watchdog and Postgres at once, every row is there',
    async () => {
      const { child, postmaster } = await hold();
      process.kill(watchdogOf(child.pid ?? 0), 'SIGKILL');
      process.kill(postmaster, 'SIGKILL');
      await killed(child);
      await expectIntact();
    },
  );

  it('of the machine, a pid file may name a stranger, or nobody', async () => {
    const { child, dataDir } = await hold();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    for (const text of [`${process.pid}\n${dataDir}\n`, '', '1\n', 'nonsense']) {
      writeFileSync(join(dataDir, 'postmaster.pid'), text);
      await expectIntact();
    }
  });
});

describe('one folder', () => {
  it('has one supervisor: of eight starts over a stale lock one is ready, seven say why not', async () => {
    const { child } = await hold();
    await killed(child);
    const starts = Array.from({ length: 8 }, () => holderProcess());
    const outcomes = await Promise.all(
      starts.map(
        (start) =>
          new Promise<string>((resolve) => {
            let errors = '';
            start.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
            start.stdout?.once('data', () => resolve('ready'));
            start.once('close', () => resolve(errors));
          }),
      ),
    );
    const refused = outcomes.filter((outcome) => outcome !== 'ready');
    expect(refused).toHaveLength(7);
    for (const text of refused) expect(text).toMatch(/cannot use .* process \d+ is using it/);
  });
});
