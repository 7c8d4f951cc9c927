import { brandAndVault } from './1-brand-and-vault.js';
import { importOrder, runTheLine } from './2-order-and-line.js';
import { oneIsADuplicate, oneIsPending, oneIsRevoked, oneIsSwapped } from './3-what-goes-wrong.js';
import { ORDERED, type VaultStory } from './vault-story.js';

export { accountOf, accountRows, type OrderAccount } from './account.js';
export { ORDERED, serialNo, type VaultStory } from './vault-story.js';

export interface VaultChapter {
  readonly no: number;
  readonly title: string;
  readonly tell: (story: VaultStory) => Promise<void>;
}

/** In order; the demo tells them, a test judges them. */
export const VAULT_CHAPTERS: readonly VaultChapter[] = [
  { no: 1, title: 'A brand, its model, and a vault that may sign for it', tell: brandAndVault },
  { no: 2, title: `An order of ${ORDERED} devices, as a file`, tell: importOrder },
  { no: 3, title: 'The line: first boots', tell: runTheLine },
  { no: 4, title: 'A serial that comes with another board waits for a person', tell: oneIsPending },
  { no: 5, title: 'A copied image is refused as a duplicate', tell: oneIsADuplicate },
  { no: 6, title: 'A board is swapped', tell: oneIsSwapped },
  { no: 7, title: 'A lost device is revoked', tell: oneIsRevoked },
];

/** A board that was on the bench, one that is swapped in, and the key that signs the model. */
const MORE_KEYS = 3;
export const KEYS_NEEDED = ORDERED + MORE_KEYS;

/** A story of which nothing has happened yet. */
export function startVaultStory(
  told: Pick<VaultStory, 'installation' | 'narrator' | 'deviceKeys' | 'vaultToken'>,
): VaultStory {
  return { ...told, trusted: [], brandId: '', apiKey: '', devices: new Map(), refusals: [] };
}
