import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Processes, projectRoot, type ProcessSpec } from '#stack';
import { isAlive } from './alive.js';

const dir = mkdtempSync(join(tmpdir(), 'brandstore procs-'));
const unexpected: string[] = [];
let processes: Processes;
beforeAll(() => {
  processes = new Processes({
    logDir: join(dir, 'log'),
    onUnexpectedExit: (name, why) => unexpected.push(`${name} ${why}`),
  });
});
afterEach(() => processes.stopAll());
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A little program; `body` may use `ready(addresses)`. */
function program(name: string, body: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
  const script = join(dir, `${name}.mjs`);
  const head = `const ready = (addresses) => process.send({ type: 'ready', addresses });\nsetInterval(() => {}, 1000);\n`;
  writeFileSync(script, head + body);
  return { name, script, env: {}, ready: 'message', ...more };
}

describe('processes', () => {
  it('are ready when they say so, with their addresses, environment and log', async () => {
    const spec = program(
      'good',
      `console.log(process.env.WORD, Object.keys(process.env).sort().join()); ready({ http: 'http://x' });`,
      {
        env: { WORD: 'hello' },
      },
    );
    const started = await processes.start(spec);
    expect(started.addresses).toEqual({ http: 'http://x' });
    const log = processes.log('good');
    expect(log).toMatch(/^hello /);
    expect(log).not.toContain('VITEST');
    await expect(processes.start(spec)).rejects.toMatchObject({ code: 'taken' });
    await processes.stop('good');
    expect([isAlive(started.pid), processes.has('good'), unexpected]).toEqual([false, false, []]);
  });

  it('are ready by a line, or by a URL that answers', async () => {
    await processes.start(
      program('line', `console.log('listening on 7');`, { ready: { line: /listening on \d/ } }),
    );
    const server = `import http from 'node:http'; const s = http.createServer((q, r) => r.end('ok')); s.listen(0, '127.0.0.1', () => {});`;
    const port = 20_000 + (process.pid % 20_000);
    const spec = program('url', server.replace('listen(0', `listen(${port}`), {
      ready: { url: `http://127.0.0.1:${port}/` },
    });
    expect((await processes.start(spec)).pid).toBeGreaterThan(0);
  });

  it('that end early or never get ready are errors with their last words', async () => {
    await expect(
      processes.start(program('early', `console.error('no database'); process.exit(3);`)),
    ).rejects.toThrow(/cannot start early: it ended with 3\n {2}no database/);
    await expect(
      processes.start(program('never', `console.log('thinking');`, { readyTimeoutMs: 2_000 })),
    ).rejects.toThrow(/cannot start never: not ready after 2 s\n {2}thinking/);
    expect([processes.has('early'), processes.has('never')]).toEqual([false, false]);
  });

  it('that ignore SIGTERM are killed in the end, with the children they leave', async () => {
    const child = `const { spawn } = await import('node:child_process'); const c = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']); ready({ child: String(c.pid) });`;
    const spec = program('stubborn', `process.on('SIGTERM', () => {}); ${child}`, {
      stopTimeoutMs: 300,
    });
    const { pid, addresses } = await processes.start(spec);
    await processes.stop('stubborn');
    expect(isAlive(pid)).toBe(false);
    await expect.poll(() => isAlive(Number(addresses.child))).toBe(false);
  });

  it('can be killed and started again as they were', async () => {
    const spec = program(
      'again',
      `ready({ word: process.env.WORD, extra: process.env.EXTRA ?? '' });`,
      { env: { WORD: 'w' } },
    );
    const first = await processes.start(spec);
    await processes.kill('again');
    expect(isAlive(first.pid)).toBe(false);
    const second = await processes.restart('again', { EXTRA: 'e' });
    expect(second.pid).not.toBe(first.pid);
    expect(second.addresses).toEqual({ word: 'w', extra: 'e' });
    expect(unexpected).toEqual([]);
  });

  it('that die by themselves are reported', async () => {
    await processes.start(program('dies', `ready({}); setTimeout(() => process.exit(5), 50);`));
    await expect.poll(() => unexpected).toEqual(['dies ended with 5']);
  });

  it('built on runApp end with their supervisor, however it ended', async () => {
    const script = join(projectRoot, 'dist/test/stack/supervisor.js');
    const supervisor = spawn(process.execPath, [script, join(dir, 'sup')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) =>
      supervisor.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    const { pid, http } = JSON.parse(line) as { pid: number; http: string };
    expect((await fetch(`${http}/`)).status).toBe(200);
    supervisor.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
  });
});
