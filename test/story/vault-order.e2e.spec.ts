import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { localSigner } from '#libs/assertions';
import { keptKeys } from '../../tools/demo/kept-keys.js';
import { Narrator } from '../../tools/demo/narrator.js';
import {
  accountOf,
  KEYS_NEEDED,
  ORDERED,
  startVaultStory,
  VAULT_CHAPTERS,
  type VaultStory,
} from '../../tools/demo/vault/index.js';
import type { Installation } from '../../tools/installation/index.js';
import { startStore } from '../support/store.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

/** What `npm run demo:vault` tells, judged. */
let installation: Installation;
let story: VaultStory;
const LIMIT_MS = 240_000;

beforeAll(async () => {
  installation = await startStore({ apps: ['store-api', 'serial-vault'] });
  const keyFile = join(inject('stackDir'), 'kept-keys.json');
  const simulated = await keptKeys(KEYS_NEEDED - 1, 2048, keyFile);
  const deviceKeys = [...simulated, localSigner(cheapKey(4096))];
  story = startVaultStory({ installation, narrator: new Narrator(() => {}), deviceKeys });
}, LIMIT_MS);
afterAll(() => installation?.stop());

it(
  'an order of 50 devices: one pending until approved, one refused as a duplicate, one board swapped, one revoked',
  async () => {
    for (const { tell } of VAULT_CHAPTERS) await tell(story);
    expect(story.refusals.map(({ status }) => status)).toEqual([202, 409, 403]);
    expect(story.refusals[1]?.said).toMatch(/^cannot/);
    const account = await accountOf(story);
    // The swapped serial was ordered and is not among those that were built, its successor is on the order.
    expect(account.findings).toEqual({ ok: ORDERED, 'registered but not built': 1 });
    expect(account.isLogSound).toBe(true);
    // 50 serials, the bench board and the board that was swapped in.
    expect(account.outcomes).toEqual({ signed: ORDERED + 2, pending: 1, approved: 1, refused: 2 });
  },
  LIMIT_MS,
);
