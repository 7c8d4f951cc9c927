import { spawn } from 'node:child_process';
import { identify } from './process-table.js';

/**
 * A tiny detached process that outlives us for a moment: when our end of its pipe closes without a word, it ends the
 * servers we leave behind (local-stack.md 6.5). It is told about every server, and forgets those stopped properly, so it
 * never signals a recycled pid.
 */
export interface Watchdog {
  /** `signals` are sent in turn, four seconds apart, until the process is gone. */
  watch(pid: number, signals: readonly NodeJS.Signals[]): void;
  forget(pid: number): void;
  /** Remove this folder after an unclean end; for throw-away data. */
  removeAfterwards(path: string): void;
  /** Everything is stopped: nothing is left to do. */
  done(): Promise<void>;
}

const SCRIPT = `
const fs = require('node:fs'), { execFileSync } = require('node:child_process');
const watched = new Map(), folders = [];
let done = false, text = '';
const start = (pid) => { try {
  if (process.platform !== 'linux') return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  const s = fs.readFileSync('/proc/' + pid + '/stat', 'utf8'), f = s.slice(s.lastIndexOf(')') + 2).split(' ');
  return f[0] === 'Z' ? '' : f[19];
} catch { return ''; } };
const take = (line) => {
  const m = JSON.parse(line);
  if (m.watch) watched.set(m.watch.pid, m.watch);
  if (m.forget) watched.delete(m.forget);
  if (m.folder) folders.push(m.folder);
  if (m.done) done = true;
};
process.stdin.on('data', (chunk) => { text += chunk; const lines = text.split('\\n'); text = lines.pop(); lines.forEach(take); });
process.stdin.on('error', () => {});
process.stdin.on('close', async () => {
  if (done) return;
  const alive = () => [...watched.values()].filter((w) => start(w.pid) === w.startedAt);
  for (let round = 0; alive().length > 0 && round < 4; round++) {
    for (const w of alive()) { try { process.kill(w.pid, w.signals[Math.min(round, w.signals.length - 1)]); } catch {} }
    for (let i = 0; i < 80 && alive().length > 0; i++) await new Promise((r) => setTimeout(r, 50));
  }
  for (const f of folders) { try { fs.rmSync(f, { recursive: true, force: true, maxRetries: 5 }); } catch {} }
});
for (const s of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(s, () => {});
`;

export function startWatchdog(): Watchdog {
  const child = spawn(process.execPath, ['-e', SCRIPT], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    env: { PATH: process.env.PATH ?? '' },
  });
  child.on('error', () => {}); // without it an unclean end leaves servers; the next start finds them
  child.stdin.on('error', () => {});
  child.unref();
  (child.stdin as unknown as { unref?(): void }).unref?.();
  const say = (message: unknown) => child.stdin.write(`${JSON.stringify(message)}\n`);
  return {
    watch(pid, signals) {
      say({ watch: { pid, startedAt: identify(pid)?.startedAt ?? '', signals } });
    },
    forget: (pid) => void say({ forget: pid }),
    removeAfterwards: (path) => void say({ folder: path }),
    done: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.pid === undefined) return resolve();
        child.ref();
        child.once('exit', () => resolve());
        child.stdin.end(`${JSON.stringify({ done: true })}\n`);
      }),
  };
}
