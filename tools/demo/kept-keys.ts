import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { localSigner } from '#libs/assertions';
import type { Signer } from '#libs/assertions';
import { makeRsaKey } from '#libs/keyring';

/** The key of somebody simulated; real devices and brands keep theirs to themselves, so this stands outside the keyring. */
export interface KeptKey extends Signer {
  readonly privateKey: KeyObject;
}

/** One entry of the cache file. */
interface CachedKey {
  readonly bits: number;
  /** PKCS#8 in DER, base64. */
  readonly pkcs8: string;
}

async function readCache(cacheFile: string): Promise<CachedKey[]> {
  try {
    // Written by `writeCache` below, for nobody else.
    return JSON.parse(await readFile(cacheFile, 'utf8')) as CachedKey[];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new Error(`cannot read the keys in ${cacheFile}`, { cause: error });
  }
}

/** Written whole or not at all: a demo that is stopped half-way leaves no broken cache. */
async function writeCache(cacheFile: string, keys: readonly CachedKey[]): Promise<void> {
  const draft = `${cacheFile}.${process.pid}`;
  await mkdir(dirname(cacheFile), { recursive: true });
  await writeFile(draft, JSON.stringify(keys), { mode: 0o600 });
  await rename(draft, cacheFile);
}

async function makeKey(bits: number): Promise<CachedKey> {
  const privateKey = await makeRsaKey(bits);
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  return { bits, pkcs8 };
}

/**
 * `count` keys of devices or brands, RSA of `bits`: taken from the cache file, the missing ones made and added (decisions 23).
 * Node makes keys in its thread pool, four at a time, so all cores work without processes of our own.
 *
 * @example const keys = await keptKeys(200, 2048, join(dataFolder, 'device-keys.json'));
 */
export async function keptKeys(
  count: number,
  bits: number,
  cacheFile: string,
): Promise<readonly KeptKey[]> {
  const cached = await readCache(cacheFile);
  const known = cached.filter((key) => key.bits === bits).slice(0, count);
  const made = await Promise.all(Array.from({ length: count - known.length }, () => makeKey(bits)));
  if (made.length > 0) await writeCache(cacheFile, [...cached, ...made]);
  return [...known, ...made].map(({ pkcs8 }) => {
    const der = Buffer.from(pkcs8, 'base64');
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    return { privateKey, ...localSigner(privateKey) };
  });
}
