import { makeRsaKeySync } from './make-rsa-key.js';
import { spawn } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { publicKeyFromKeyObject } from '#libs/assertions';
import { startSigner } from './keyring-client.js';
import type { KeyringClient, NewKey, SignerOptions } from './keyring-client.js';
import type { KeyringError } from './keyring-error.js';
import { loadRootKey, makeRecoverySecret, writeRootKeyFile } from './root-key.js';
import { readSealedKeyLabel, sealKey } from './seal.js';
import { signerArguments } from './signer-entry.js';
import { SignerLink } from './signer-link.js';
import { wrapForSigner } from './transport.js';

const secret = randomBytes(32).toString('base64url');
const masterKey = { kind: 'secret', secret } as const;
const master = { kind: 'master', key: Buffer.from(secret) } as const;
const privateKey = makeRsaKeySync(2048);
const keyId = publicKeyFromKeyObject(createPublicKey(privateKey)).id;
const content = Buffer.from('type: serial\nauthority-id: acme\n\n');
const model = Buffer.from('type: model\nauthority-id: acme\n\n');

let folder = '';
let sealed = '';
const running: KeyringClient[] = [];

async function start(options: Partial<SignerOptions> = {}): Promise<KeyringClient> {
  const keyring = await startSigner({ masterKey, sealedKeys: [sealed], ...options });
  running.push(keyring);
  return keyring;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function pidOf(keyring: KeyringClient): Promise<number> {
  const pid = await keyring.pid();
  if (pid === undefined) throw new Error('no process');
  return pid;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyring-'));
  sealed = await sealKey({ keyId, purpose: 'general', key: privateKey }, master);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((keyring) => keyring.close()));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the signer', () => {
  it('signs exactly the given bytes with RSASSA-PKCS1-v1_5 and SHA-512', async () => {
    const signer = (await start()).signer(keyId);
    expect(signer.publicKey.id).toBe(keyId);
    const padded = new Uint8Array(content.length + 8);
    padded.set(content, 4);
    const signature = await signer.sign(padded.subarray(4, 4 + content.length));
    expect(verify('sha512', content, createPublicKey(privateKey), signature)).toBe(true);
  });

  it('answers many requests at once, each with its own signature', async () => {
    const signer = (await start()).signer(keyId);
    const contents = Array.from({ length: 50 }, () => randomBytes(3000));
    const signatures = await Promise.all(contents.map((bytes) => signer.sign(bytes)));
    contents.forEach((bytes, at) => {
      expect(verify('sha512', bytes, signer.publicKey.key, signatures[at] ?? Buffer.of())).toBe(
        true,
      );
    });
  });

  it('makes keys whose envelope opens in the next signer', async () => {
    const first = await start({ sealedKeys: [] });
    expect(first.listKeys()).toEqual([]);
    const made = await first.generate(2048);
    const signature = await first.signer(made.publicKey.id).sign(content);
    expect(verify('sha512', content, made.publicKey.key, signature)).toBe(true);
    const second = await start({ sealedKeys: [sealed] });
    expect(() => second.signer(made.publicKey.id)).toThrow('cannot find key');
    expect((await second.load(made.sealed)).id).toBe(made.publicKey.id);
    expect(Buffer.from(await second.signer(made.publicKey.id).sign(content))).toEqual(signature);
    expect(
      second
        .listKeys()
        .map((key) => key.id)
        .sort(),
    ).toEqual([keyId, made.publicKey.id].sort());
  });

  it('signs nothing that a key is not for', async () => {
    const keyring = await start({ sealedKeys: [] });
    const { publicKey } = await keyring.generate(2048, 'serial');
    const other = { code: 'purpose' };
    await expect(keyring.signer(publicKey.id).sign(content)).rejects.toMatchObject(other);
    await expect(keyring.signer(publicKey.id, 'model').sign(content)).rejects.toMatchObject(other);
    const signer = keyring.signer(publicKey.id, 'serial');
    await expect(signer.sign(Buffer.from('type: model\n'))).rejects.toMatchObject(other);
    await expect(signer.sign(Buffer.from('x\ntype: serial\n'))).rejects.toMatchObject(other);
    expect(await signer.sign(content)).toHaveLength(256);
    expect(await signer.sign(Buffer.from('type: account-key-request\n'))).toHaveLength(256);
  });

  it('refuses sizes that are no keys', async () => {
    const keyring = await start();
    for (const bits of [0, 1024, 16384, 2048.5, Number.NaN]) {
      await expect(keyring.generate(bits)).rejects.toMatchObject({ code: 'bad-key' });
    }
  });

  it('does not start with a wrong master key or a broken envelope, and says so', async () => {
    const wrong = { kind: 'secret', secret: 'x'.repeat(32) } as const;
    await expect(start({ masterKey: wrong })).rejects.toMatchObject({ code: 'cannot-unseal' });
    await expect(start({ sealedKeys: ['x'] })).rejects.toMatchObject({
      code: 'malformed-envelope',
    });
    const none = { kind: 'file', path: join(folder, 'none') } as const;
    await expect(start({ masterKey: none })).rejects.toMatchObject({ code: 'master-key' });
  });

  it('takes keys made elsewhere, if they are strong enough', async () => {
    const keyring = await start();
    const own = generateKeyPairSync('rsa', { modulusLength: 4096 });
    const pem = own.privateKey
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'horse' })
      .toString();
    const bring = async (text: string, passphrase?: string): Promise<NewKey> =>
      keyring.importKey(wrapForSigner(await keyring.transportKey(), { text, passphrase }), 'model');
    await expect(bring(pem, 'cow')).rejects.toMatchObject({ code: 'bad-key' });
    const { publicKey, sealed: kept } = await bring(pem, 'horse');
    expect(publicKey.id).toBe(publicKeyFromKeyObject(own.publicKey).id);
    expect(readSealedKeyLabel(kept)).toEqual({ keyId: publicKey.id, purpose: 'model' });
    const armour = await readFile(
      new URL('../testing/gnupg-protected.asc', import.meta.url),
      'utf8',
    );
    const fromGnupg = await bring(armour, 'correct horse größer');
    const signature = await keyring.signer(fromGnupg.publicKey.id, 'model').sign(model);
    expect(verify('sha512', model, fromGnupg.publicKey.key, signature)).toBe(true);
    const weak = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await expect(bring(weak)).rejects.toMatchObject({ code: 'bad-key' });
    // What was not wrapped, or for another process, or was changed on the way.
    const parcel = wrapForSigner(await keyring.transportKey(), { text: armour });
    // Not at its end, where bits of base64 mean nothing.
    const at = parcel.length - 5;
    const changed = `${parcel.slice(0, at)}${parcel[at] === 'A' ? 'B' : 'A'}${parcel.slice(at + 1)}`;
    const other = await start();
    for (const [to, one] of [
      [keyring, armour],
      [keyring, changed],
      [other, parcel],
    ] as const)
      await expect(to.importKey(one)).rejects.toThrow('ask for it again');
    expect(() => wrapForSigner('no key', { text: armour })).toThrow('transport key');
  });

  it('changes its master key without a moment when a key cannot sign', async () => {
    const next = { kind: 'secret', secret: 'n'.repeat(40) } as const;
    const between = await start({ masterKey: next, formerMasterKeys: [masterKey] });
    expect(await between.signer(keyId).sign(content)).toHaveLength(256);
    const wrapped = await between.reseal(sealed);
    const after = await start({ masterKey: next, sealedKeys: [wrapped] });
    expect(await after.signer(keyId).sign(content)).toHaveLength(256);
    await expect(start({ masterKey: next })).rejects.toMatchObject({ code: 'cannot-unseal' });
    await expect(start({ sealedKeys: [wrapped] })).rejects.toMatchObject({ code: 'cannot-unseal' });
  });

  it('V69 goes over to another master key while it signs: nothing that was under way is lost', async () => {
    const onTrouble = vi.fn<(error: KeyringError) => void>();
    const keyring = await start({ onTrouble });
    const slow = await keyring.generate(4096, 'serial');
    const next = { kind: 'secret', secret: 'n'.repeat(40) } as const;
    let isOn = true;
    const signs = async (): Promise<void> => {
      while (isOn) await keyring.signer(slow.publicKey.id, 'serial').sign(content);
    };
    const workers = Promise.all(Array.from({ length: 12 }, signs));
    const former = await pidOf(keyring);
    await keyring.exchange({ masterKey: next, formerMasterKeys: [masterKey] });
    isOn = false;
    await workers;
    expect([isAlive(former), onTrouble.mock.calls]).toEqual([false, []]);
    // What is made now is sealed with the new one.
    const made = await keyring.generate(2048);
    const alone = await start({ masterKey: next, sealedKeys: [made.sealed] });
    expect(await alone.signer(made.publicKey.id).sign(content)).toHaveLength(256);
  });
});

describe('the signer process', () => {
  it('is replaced when it dies: what was under way is refused, then all keys sign again', async () => {
    const onTrouble = vi.fn<(error: KeyringError) => void>();
    const keyring = await start({ onTrouble });
    const made = await keyring.generate(2048, 'serial');
    const pid = await pidOf(keyring);
    const underWay = keyring.generate(8192);
    const refused = expect(underWay).rejects.toMatchObject({
      code: 'signer-died',
      message: 'cannot reach the signer: it ended with SIGKILL',
    });
    process.kill(pid, 'SIGKILL');
    await refused;
    expect(await keyring.signer(keyId).sign(content)).toHaveLength(256);
    expect(await keyring.signer(made.publicKey.id, 'serial').sign(content)).toHaveLength(256);
    expect(await pidOf(keyring)).not.toBe(pid);
    expect(onTrouble.mock.calls.map(([error]) => error.code)).toEqual(['signer-died']);
  });

  it('ends at close, with its socket, and refuses what comes after', async () => {
    const keyring = await start();
    const signer = keyring.signer(keyId);
    const pid = await pidOf(keyring);
    await keyring.close();
    expect(isAlive(pid)).toBe(false);
    await expect(signer.sign(content)).rejects.toMatchObject({ code: 'closed' });
  });

  it('outlives a signal to the whole group, so that its parent can drain', async () => {
    const keyring = await start();
    const pid = await pidOf(keyring);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const)
      process.kill(pid, signal);
    expect(await keyring.signer(keyId).sign(content)).toHaveLength(256);
    expect(await pidOf(keyring)).toBe(pid);
  });

  it('ends when its parent is gone, however that went', async () => {
    // The parent here is a shell that starts the signer and then is killed: it closes no input by itself.
    const [first, ...rest] = [process.execPath, ...signerArguments()];
    const script = `const { spawn } = require('node:child_process');
      const child = spawn(${JSON.stringify(first)}, ${JSON.stringify(rest)}, { stdio: ['pipe', 'inherit', 'inherit'] });
      child.stdin.write(${JSON.stringify(`${JSON.stringify({ masterKeys: [masterKey], sealedKeys: [], password: 'p' })}\n`)});
      console.error('pid ' + child.pid);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    parent.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
    const [report] = (await once(parent.stdout, 'data')) as [Buffer];
    const { address } = JSON.parse(report.toString()) as { address: { path: string } };
    const pid = Number(/pid (\d+)/.exec(told)?.[1]);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000, interval: 20 });
    expect(existsSync(dirname(address.path))).toBe(false);
  });

  it('listens in a folder of its own, for its owner only, and takes it away', async () => {
    const link = await SignerLink.open({ masterKeys: [masterKey], sealedKeys: [] });
    const { address } = link.started;
    if (!('path' in address)) throw new Error('no socket');
    expect(Buffer.byteLength(address.path)).toBeLessThan(100);
    expect((await stat(dirname(address.path))).mode & 0o777).toBe(0o700);
    await link.close();
    expect(existsSync(dirname(address.path))).toBe(false);
  });

  it('listens on a loopback port behind a password where paths are too long', async () => {
    const long = join(folder, 'x'.repeat(100));
    await mkdir(long);
    vi.stubEnv('TMPDIR', long);
    const link = await SignerLink.open({ masterKeys: [masterKey], sealedKeys: [sealed] }).finally(
      () => vi.unstubAllEnvs(),
    );
    const { address } = link.started;
    if (!('port' in address)) throw new Error('no port');
    const ask = { keyId, purpose: 'general', contentBase64: 'AA==' } as const;
    expect((await link.request('sign', ask, 5000)).signatureBase64).toHaveLength(344);
    const stranger = connect(address.port, '127.0.0.1');
    stranger.write(`guess\n${JSON.stringify({ id: 1, op: 'sign', ask })}\n`);
    let heard = '';
    stranger
      .on('data', (chunk) => (heard += chunk.toString()))
      .on('error', () => stranger.destroy());
    await once(stranger, 'close');
    expect(heard).toBe('');
    await link.close();
  });
});

describe('the root key', () => {
  it('leaves as a sealed file, certifies as long as it is loaded, and comes back by its secret only', async () => {
    const path = join(folder, 'root.key');
    const recovery = makeRecoverySecret();
    expect(recovery).toMatch(/^([A-Z2-9]{4}-){7}[A-Z2-9]{4}$/);
    const first = await start({ sealedKeys: [] });
    const { id } = await writeRootKeyFile(first, path, recovery, 2048);
    const certify = Buffer.from('type: account-key\n');
    const signature = await first.signer(id, 'root').sign(certify);
    await expect(first.signer(id, 'root').sign(content)).rejects.toMatchObject({ code: 'purpose' });
    await first.forget(id);
    expect(() => first.signer(id, 'root')).toThrow('cannot find key');
    expect((await stat(path)).mode & 0o777).toBe(0o600);

    const second = await start({ sealedKeys: [] });
    await expect(loadRootKey(second, path, makeRecoverySecret())).rejects.toMatchObject({
      code: 'cannot-unseal',
    });
    await expect(second.load(await readFile(path, 'utf8'))).rejects.toMatchObject({
      code: 'cannot-unseal',
    });
    const typed = recovery.toLowerCase().replaceAll('-', ' ');
    expect((await loadRootKey(second, path, typed)).id).toBe(id);
    expect(await second.signer(id, 'root').sign(certify)).toEqual(signature);
  });

  it('is not carried over to a new process, and its file is never overwritten', async () => {
    const keyring = await start({ sealedKeys: [] });
    const path = join(folder, 'taken.key');
    await writeFile(path, 'precious');
    await expect(writeRootKeyFile(keyring, path, makeRecoverySecret(), 2048)).rejects.toThrow(
      'cannot write the root key file',
    );
    expect(await readFile(path, 'utf8')).toBe('precious');
    expect(keyring.listKeys()).toEqual([]);
    const { id } = await writeRootKeyFile(
      keyring,
      join(folder, 'other.key'),
      makeRecoverySecret(),
      2048,
    );
    process.kill(await pidOf(keyring), 'SIGKILL');
    await vi.waitFor(
      () =>
        expect(
          keyring.signer(id, 'root').sign(Buffer.from('type: account-key\n')),
        ).rejects.toMatchObject({
          code: 'unknown-key',
        }),
      { timeout: 10_000 },
    );
  });
});
