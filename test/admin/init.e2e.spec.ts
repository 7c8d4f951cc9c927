import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { AssertionDatabase, decodeAssertions, header } from '#libs/assertions';
import { Database, dropDatabase, migrate, provision, type DatabaseUrls } from '#libs/database';
import { loadRootKey, startSigner } from '#libs/keyring';
import { openStoreKeys, readAccountKeys, type InitialiseReport } from '#libs/operations';
import { appMain } from '#stack';

const run = promisify(execFile);

describe('making an installation', () => {
  const database = `init_${randomBytes(6).toString('hex')}`;
  const adminUrl = inject('stackEnv')['DATABASE_URL'] ?? '';
  const dir = join(inject('stackDir'), database);
  const masterKeyFile = join(dir, 'master');
  let urls: DatabaseUrls;
  let first: InitialiseReport;

  const init = async (
    env: Record<string, string> = {},
    say: (stdin: Writable) => unknown = () => undefined,
  ): Promise<InitialiseReport> => {
    const script = appMain('store-api', 'init');
    const running = run(process.execPath, [script], {
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: urls.store,
        MASTER_KEY_FILE: masterKeyFile,
        KEY_BITS: '2048',
        ...env,
      },
    });
    const { stdin } = running.child;
    const [{ stdout }] = await Promise.all([running, stdin && say(stdin)]);
    return JSON.parse(stdout) as InitialiseReport;
  };

  beforeAll(async () => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(masterKeyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
    urls = await provision({ adminUrl, database, secret: 'init', rolePrefix: database });
    await migrate(urls.owner);
  });
  afterAll(() => dropDatabase(adminUrl, database));

  it('refuses wrong settings with all of them', async () => {
    await expect(
      init({ DATABASE_URL: 'mysql://x', MASTER_KEY_FILE: '/nowhere', KEY_BITS: '12' }),
    ).rejects.toThrow(/MASTER_KEY_FILE[\s\S]*KEY_BITS[\s\S]*DATABASE_URL/);
  });

  it('makes a root, a store key under it and an operator, and prints what is needed once', async () => {
    // As after an attempt that was killed before it counted.
    writeFileSync(join(dir, 'root-key.sealed.new'), 'half');
    first = await init();
    expect(first).toMatchObject({ isNew: true, operatorEmail: 'operator@store.invalid' });
    expect(first.password?.length).toBeGreaterThan(15);
    expect(statSync(first.rootKeyFile).mode & 0o077).toBe(0);
    expect(existsSync(`${first.rootKeyFile}.new`)).toBe(false);
    const trusted = decodeAssertions(readFileSync(first.rootAssertions));
    expect(trusted.map(({ type }) => type)).toEqual(['account', 'account-key']);
    const db = await Database.open({ url: urls.store, room: 'store', applicationName: 'test' });
    try {
      const keys = await openStoreKeys({ db, masterKeyFile });
      const { publicKey } = await keys.signer();
      await keys.close();
      const chain = await db.asSystem((tx) => readAccountKeys(tx, keys.operatorAccountId));
      const store = chain.find((key) => header(key, 'name') === 'store');
      expect(store?.primaryKey).toEqual([publicKey.id]);
      const shelf = new AssertionDatabase({ trusted });
      expect(store && shelf.add(store, new Date(Date.now() + 1_000))).toEqual({ valid: true });
      expect(header(store ?? trusted[0] ?? { headers: {} }, 'authority-id')).toBe(
        first.operatorAccountId,
      );
    } finally {
      await db.close();
    }
  });

  it('makes its keys before it knows its database, and leaves none when it is told of no database', async () => {
    const folder = join(dir, 'alone');
    mkdirSync(folder);
    const files = {
      ROOT_KEY_FILE: join(folder, 'root-key.sealed'),
      TRUSTED_FILE: join(folder, 'roots'),
    };
    const draft = `${files.ROOT_KEY_FILE}.new`;
    const ended = init({ DATABASE_URL: '-', ...files }, async (stdin) => {
      await vi.waitUntil(() => existsSync(draft), { timeout: 20_000 });
      stdin.end();
    });
    await expect(ended).rejects.toThrow('DATABASE_URL on standard input');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('hears its database on standard input', async () => {
    const again = await init({ DATABASE_URL: '-' }, (stdin) => stdin.end(`${urls.store}\n`));
    expect(again).toMatchObject({ isNew: false, operatorAccountId: first.operatorAccountId });
  });

  it('changes nothing when it is run again, and tells no secret', async () => {
    const [rootKey, trusted] = [
      readFileSync(first.rootKeyFile),
      readFileSync(first.rootAssertions),
    ];
    const again = await init({ OPERATOR_EMAIL: 'other@store.invalid' });
    const { password: _once, rootPassphrase: _too, ...rest } = first;
    expect(again).toEqual({ ...rest, isNew: false });
    expect([readFileSync(first.rootKeyFile), readFileSync(first.rootAssertions)]).toEqual([
      rootKey,
      trusted,
    ]);
  });

  it('seals the root key so that only the printed passphrase opens it', async () => {
    const keyring = await startSigner({
      masterKey: { kind: 'file', path: masterKeyFile },
      sealedKeys: [],
    });
    try {
      await expect(
        loadRootKey(keyring, first.rootKeyFile, 'AAAA-BBBB-CCCC-DDDD'),
      ).rejects.toThrow();
      const key = await loadRootKey(keyring, first.rootKeyFile, first.rootPassphrase ?? '');
      expect(readFileSync(first.rootAssertions, 'utf8')).toContain(key.id);
    } finally {
      await keyring.close();
    }
  });
});
