import {
  AssertionError,
  decodeAssertion,
  type Assertion,
  type AssertionDatabase,
} from '#libs/assertions';
import { VaultBrand, type Tx } from '#libs/database';
import { keepBrand } from '../administration/brand.service.js';
import { keepNewest } from '../trust/import-assertions.js';
import type { ImportTally } from './import-report.js';
import type { FormerAccount, FormerKey } from './stage-dump.js';

interface Context {
  /** Learns what is taken. */
  readonly trusted: AssertionDatabase;
  readonly now: Date;
  readonly tally: ImportTally;
}

/** Accounts become brands. Returns the ids of those that are brands here now. */
export async function takeAccounts(
  tx: Tx,
  accounts: readonly FormerAccount[],
  context: Context,
): Promise<string[]> {
  const { tally } = context;
  const brandIds: string[] = [];
  for (const { brandId, assertion } of accounts) {
    if (await tx.existsBy(VaultBrand, { id: brandId })) tally.count('account', 'alreadyThere');
    else {
      const account = readAs('account', assertion, brandId);
      if (account === null || !(await keepTrusted(tx, account, context))) {
        tally.skip('account', `no account assertion of ${brandId} under the root of this vault`);
        tally.toDo.add(`register brand ${brandId} with its chain, and import again`);
        continue;
      }
      await keepBrand(tx, account);
      tally.count('account', 'taken');
    }
    brandIds.push(brandId);
  }
  return brandIds;
}

/** Private keys stay sealed in the former vault; what certifies them comes along, for serials that they have signed. */
export async function takeKeys(
  tx: Tx,
  keys: readonly FormerKey[],
  context: Context,
): Promise<void> {
  const { trusted, tally } = context;
  for (const { keyId, assertion } of keys) {
    if (trusted.find('account-key', [keyId])) {
      tally.count('keypair', 'alreadyThere');
      continue;
    }
    const accountKey = readAs('account-key', assertion, keyId);
    if (accountKey !== null && (await keepTrusted(tx, accountKey, context)))
      tally.count('keypair', 'taken');
    else tally.skip('keypair', 'no account-key under the root of this vault');
  }
}

function readAs(type: string, text: string, key: string): Assertion | null {
  if (text === '') return null;
  try {
    const assertion = decodeAssertion(Buffer.from(text));
    return assertion.type === type && assertion.primaryKey[0] === key ? assertion : null;
  } catch (error) {
    if (error instanceof AssertionError) return null;
    throw error;
  }
}

async function keepTrusted(
  tx: Tx,
  assertion: Assertion,
  { trusted, now }: Context,
): Promise<boolean> {
  if (!trusted.add(assertion, now).valid) return false;
  await keepNewest(tx, assertion, false);
  return true;
}
