import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { z } from 'zod';
import {
  AssertionError,
  signAssertion,
  type Assertion,
  type AssertionDraft,
} from '#libs/assertions';
import { KeyringError, loadRootKey, startSigner } from '#libs/keyring';
import type { Io } from '../io.js';
import { Failure, UsageError } from '../usage.js';

/** `brandstore store-key sign`: signs the draft with the root key, on the machine where that is kept. */
export const signDraft = (io: Io): Command =>
  new Command('sign')
    .description('sign a draft with the root key (offline)')
    .requiredOption('--root-key <file>', 'the sealed root key that init wrote')
    .argument('[draft]', 'what prepare printed; - or none is standard input', '-')
    .action(async (draft: string, { rootKey }: { rootKey: string }) => {
      io.out((await sign(io, rootKey, parseDraft(await io.read(draft)))).bytes);
    });

const DRAFT = z.looseObject({ type: z.literal('account-key'), body: z.string() });

function parseDraft(input: Buffer): AssertionDraft {
  try {
    const draft = DRAFT.safeParse(JSON.parse(input.toString('utf8')));
    if (draft.success) {
      const { type, body, ...headers } = draft.data;
      return { type, headers, body };
    }
  } catch {
    // said below
  }
  throw new UsageError('cannot read the draft: it is not what `store-key prepare` prints');
}

/** The root key is opened in a signer process of its own, for this one signature (decisions 5, 8). */
async function sign(io: Io, rootKeyFile: string, draft: AssertionDraft): Promise<Assertion> {
  const passphrase = await askPassphrase(io);
  // Nothing is sealed here: the master key only has to be one.
  const masterKey = { kind: 'secret', secret: randomBytes(32).toString('base64url') } as const;
  const keyring = await startSigner({ masterKey, sealedKeys: [] });
  try {
    const root = await loadRootKey(keyring, rootKeyFile, passphrase);
    return await signAssertion(draft, keyring.signer(root.id, 'root'), io.now());
  } catch (error) {
    if (error instanceof KeyringError || error instanceof AssertionError)
      throw new Failure(error.message);
    throw error;
  } finally {
    await keyring.close();
  }
}

async function askPassphrase({ env, ask }: Io): Promise<string> {
  if (env.BRANDSTORE_ROOT_PASSPHRASE) return env.BRANDSTORE_ROOT_PASSPHRASE;
  if (ask === null)
    throw new UsageError('cannot ask for the passphrase here: set BRANDSTORE_ROOT_PASSPHRASE');
  return ask.secret('Passphrase of the root key:');
}
