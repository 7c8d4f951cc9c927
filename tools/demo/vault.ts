import { join } from 'node:path';
import { defaultDataDir, startStack } from '#stack';
import { makeRsaKey } from '#libs/keyring';
import { localSigner } from '#libs/assertions';
import { startInstallation } from '../installation/index.js';
import { keptKeys } from './kept-keys.js';
import { Narrator } from './narrator.js';
import {
  accountOf,
  accountRows,
  KEYS_NEEDED,
  startVaultStory,
  VAULT_CHAPTERS,
} from './vault/index.js';

/** Keys that sign models have at least as many bits (assertions.md 4). */
const BRAND_KEY_BITS = 4096;

/** `npm run demo:vault`: an order of 50 devices through the Serial Vault, with what goes wrong on a line. */
async function main(): Promise<void> {
  const narrator = new Narrator();
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => interrupted.abort(new Error(`stopped by ${signal}`)));
  const log = (line: string): void => narrator.say(line);
  const stack = await startStack({ ephemeral: true, log });
  try {
    const installation = await startInstallation({ stack, log });
    try {
      const keyCache = join(defaultDataDir(), 'cache', 'kept-keys.json');
      const simulated = await keptKeys(KEYS_NEEDED - 1, 2048, keyCache);
      const brandKey = localSigner(await makeRsaKey(BRAND_KEY_BITS));
      const deviceKeys = [...simulated, brandKey];
      const story = startVaultStory({ installation, narrator, deviceKeys });
      for (const { no, title, tell } of VAULT_CHAPTERS) {
        interrupted.signal.throwIfAborted();
        await narrator.step(no, title, () => tell(story));
      }
      narrator.say('');
      narrator.table(['what the vault says', ''], accountRows(await accountOf(story)));
    } finally {
      await installation.stop();
    }
  } finally {
    await stack.stop();
  }
}

await main().then(
  () => (process.exitCode = 0),
  (error: unknown) => {
    process.stderr.write(
      `\nThe story broke off: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
