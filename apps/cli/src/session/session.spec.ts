import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../main.js';
import { testIo } from '../testing/test-io.js';
import { Failure, UsageError } from '../usage.js';
import { connect } from './connect.js';
import { SessionFile } from './session-file.js';
import { storeUrl } from './store-url.js';

const session = { email: 'a@acme.example', token: 'secret', expiresAt: '2026-11-20T18:00:00Z' };
const A = 'https://a.example';
const B = 'https://b.example';

describe('a kept session', () => {
  let env: Record<string, string>;
  beforeEach(() => {
    env = { XDG_CONFIG_HOME: mkdtempSync(join(tmpdir(), 'session-')) };
  });
  afterEach(() => rmSync(env['XDG_CONFIG_HOME'] ?? '', { recursive: true, force: true }));

  it('is of one store: another one never gets it', async () => {
    const { io } = testIo({}, { env });
    await new SessionFile(env).keep(A, session);
    expect((await connect(io, {})).url).toBe(A);
    await expect(connect(io, { url: B })).rejects.toThrow(Failure);
    await expect(
      connect(testIo({}, { env: { ...env, BRANDSTORE_URL: B } }).io, {}),
    ).rejects.toThrow(`cannot act at ${B} without login`);
  });

  it('gives way to the one before when it is forgotten', async () => {
    const file = new SessionFile(env);
    await file.keep(A, session);
    await file.keep(B, session);
    expect(await file.currentUrl()).toBe(B);
    await file.forget(B);
    expect(await file.currentUrl()).toBe(A);
    await file.forget(A);
    expect([await file.currentUrl(), await file.find(A)]).toEqual([null, null]);
  });

  it('is not used after its end', async () => {
    await new SessionFile(env).keep(A, { ...session, expiresAt: '2026-11-20T12:00:00Z' });
    await expect(connect(testIo({}, { env }).io, {})).rejects.toThrow('has ended');
  });

  it('says where it lies when it cannot be read', async () => {
    const file = new SessionFile(env);
    await file.keep(A, session);
    writeFileSync(file.path, '{');
    const { io, ran } = testIo({}, { env });
    expect(await main(['whoami'], io)).toBe(1);
    expect(ran().err).toContain(file.path);
  });
});

describe('the address of a store', () => {
  it.each([
    ['https://store.example/graphql', 'https://store.example'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://localhost:1', 'http://localhost:1'],
    ['http://[::1]:1', 'http://[::1]:1'],
  ])('%s is %s', (text, url) => expect(storeUrl(text)).toBe(url));

  it.each([
    'store.example',
    'ftp://store.example',
    'http://store.example',
    'http://127.evil.example',
    'http://10.0.0.1',
  ])('refuses %s', (text) => expect(() => storeUrl(text)).toThrow(UsageError));
});

describe('a command line', () => {
  it.each([
    [[], 2],
    [['--help'], 0],
    [['nothing'], 2],
    [['whoami', '--nothing'], 2],
    [['rollout', '--help'], 0],
    [['rollout'], 2],
    [['rollout', 'submit'], 2],
    [['rollout', 'status', 'x', '--interval', '0'], 2],
    [['whoami'], 2],
  ])('%j ends with %i', async (args, status) => {
    const { io, ran } = testIo();
    expect(await main(args, { ...io, env: { XDG_CONFIG_HOME: '/nonexistent' } })).toBe(status);
    const { text, err } = ran();
    expect(status === 0 ? text : err).not.toBe('');
  });
});
