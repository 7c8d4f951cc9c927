import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { KeyringError } from './keyring-error.js';

/** Where the master key comes from: a file that only its owner may read, or a secret given by the environment's caretaker. */
export type MasterKeySource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'secret'; readonly secret: string };

const LEAST_CHARACTERS = 32;

/** Makes the master key of an installation: 256 random bits, mode 0600. Throws `master-key` when the file is there already. */
export async function createMasterKeyFile(path: string): Promise<void> {
  try {
    const text = `${randomBytes(32).toString('base64url')}\n`;
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new KeyringError('master-key', `cannot make the master key file ${path}`, { cause });
  }
}

async function readKeyFile(path: string): Promise<string> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) throw new Error('others than its owner may read it');
    return await readFile(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KeyringError('master-key', `cannot use the master key file ${path}: ${why}`, {
      cause,
    });
  }
}

/**
 * The master key's bytes. File and secret hold the same text, so a key can move from one to the other. Throws `master-key`
 * when it is missing, readable by others or shorter than 32 characters: keys are derived without stretching.
 */
export async function readMasterKey(source: MasterKeySource): Promise<Buffer> {
  const text = (source.kind === 'file' ? await readKeyFile(source.path) : source.secret).trim();
  if (text.length < LEAST_CHARACTERS) {
    throw new KeyringError(
      'master-key',
      `cannot use a master key of less than ${LEAST_CHARACTERS} characters`,
    );
  }
  return Buffer.from(text);
}
