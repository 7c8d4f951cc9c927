import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { prepareDeviceHook } from './prepare-device.js';

const folder = mkdtempSync(join(tmpdir(), 'hook-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a hook with a `snapctl` that writes down its arguments, one line each. */
function run(hook: string): { status: number | null; calls: string[]; err: string } {
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  writeFileSync(join(folder, 'snapctl'), `#!/bin/sh\nprintf '%s\\n' "$*" >> '${log}'\n`, {
    mode: 0o755,
  });
  const { status, stderr } = spawnSync('sh', ['-c', hook], {
    encoding: 'utf8',
    env: { PATH: `${folder}:${process.env.PATH ?? ''}`, SNAP: folder },
  });
  return { status, err: stderr, calls: readFileSync(log, 'utf8').trimEnd().split('\n') };
}

const order = {
  model: 'acme-box',
  vaultUrl: 'https://vault.acme.example',
  apiKeyFile: '$SNAP/api-key',
  serialFile: join(folder, 'serial'),
};

it('the hook sets service URL, headers and proposed serial, and clears the body', () => {
  writeFileSync(join(folder, 'serial'), ' 0012\n');
  writeFileSync(join(folder, 'api-key'), 'k'.repeat(40) + '\n');
  const { status, calls } = run(prepareDeviceHook(order));
  expect(status).toBe(0);
  expect(calls).toEqual([
    `set device-service.headers={"api-key": "${'k'.repeat(40)}"}`,
    'unset registration.body',
    'set device-service.url=https://vault.acme.example/v1/',
    'set -s registration.proposed-serial=0012',
  ]);
});

it('without API key it sets no headers; without serial it fails in words', () => {
  const keyless = { ...order, apiKeyFile: null };
  expect(run(prepareDeviceHook(keyless)).calls.join()).not.toContain('headers');
  writeFileSync(join(folder, 'serial'), '\n');
  const { status, err, calls } = run(prepareDeviceHook(keyless));
  expect([status, calls]).toEqual([1, ['']]);
  expect(err).toContain('holds no serial');
});
