import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { encodeAssertions, signAssertion } from '#libs/assertions';
import type { Assertion, PublicKey, Signer } from '#libs/assertions';
import { SALT_BYTES, formatId, hashPassword } from '#libs/auth';
import {
  Account,
  BrandStore,
  Installation,
  Person,
  SealedKey,
  recordAudit,
  type Database,
  type Tx,
} from '#libs/database';
import { OperationError } from '../operation-error.js';
import { keepAssertion } from './assertion-shelf.js';
import { draftOf, makeRootKeys, type RootKeys, type RootKeysOrder } from './root-keys.js';
import { timestamp } from './timestamp.js';

export interface InitialiseOptions extends RootKeysOrder {
  readonly db: Database;
  /** Where the root account and the root account-key go: what devices and vaults trust. */
  readonly trustedFile: string;
  readonly operatorEmail: string;
  /** User name and display name of the account that owns the keys. */
  readonly username: string;
  readonly displayName: string;
  /** Begun before there was a database; whoever began them discards them. Not given: made when they are needed. */
  readonly rootKeys?: Promise<RootKeys>;
}

/** What an operator is told; secrets are told this once. */
export interface InitialiseReport {
  readonly operatorAccountId: string;
  readonly operatorEmail: string;
  readonly password?: string;
  readonly rootKeyFile: string;
  readonly rootPassphrase?: string;
  readonly rootAssertions: string;
  readonly isNew: boolean;
}

interface Roots {
  readonly operatorAccountId: string;
  /** Root account and root account-key, then the store key's account-key. */
  readonly assertions: readonly [Assertion, Assertion, Assertion];
}

/**
 * Day one of a store (assertions.md 14): a root key and account, a store key under it, the first operator. `announce` is
 * told before anything counts, so that a crash cannot leave an installation whose secrets nobody has read. Run again, it
 * changes nothing.
 */
export async function initialise(
  options: InitialiseOptions,
  announce: (report: InitialiseReport) => Promise<void>,
): Promise<void> {
  const { db, rootKeyFile } = options;
  const known = await db.asSystem((tx) => tx.findOneBy(Installation, { id: 1 }));
  if (known !== null) return announce(await describe(options, known));
  if (existsSync(rootKeyFile))
    throw new OperationError(
      'conflict',
      `cannot initialise: ${rootKeyFile} is there, but the database knows no installation; move the file away if it is not needed`,
    );
  const keys = await (options.rootKeys ?? makeRootKeys(options));
  try {
    await found(options, keys, announce);
  } finally {
    if (!options.rootKeys) await keys.discard();
  }
}

async function found(
  options: InitialiseOptions,
  keys: RootKeys,
  announce: (report: InitialiseReport) => Promise<void>,
): Promise<void> {
  const { db, rootKeyFile, trustedFile, operatorEmail } = options;
  const { rootPassphrase } = keys;
  const password = randomBytes(15).toString('base64url');
  const operatorAccountId = formatId(randomBytes(32));
  const roots = {
    operatorAccountId,
    assertions: await signRoots(options, keys, operatorAccountId),
  };
  await keys.keyring.forget(keys.rootKey.id);
  await db.asSystem(async (tx) => {
    await insertInstallation(tx, options, keys, roots, password);
    const [account, key] = roots.assertions;
    await writeFile(trustedFile, encodeAssertions([account, key]));
    await announce({
      operatorAccountId,
      operatorEmail,
      password,
      rootKeyFile,
      rootPassphrase,
      rootAssertions: trustedFile,
      isNew: true,
    });
    await rename(draftOf(rootKeyFile), rootKeyFile);
  });
}

async function describe(
  { db, rootKeyFile, trustedFile }: InitialiseOptions,
  known: Installation,
): Promise<InitialiseReport> {
  const operator = await db.asSystem((tx) =>
    tx.findOne(Person, { where: { isOperator: true }, order: { createdAt: 'ASC' } }),
  );
  return {
    operatorAccountId: known.operatorAccountId,
    operatorEmail: operator?.email ?? '',
    rootKeyFile,
    rootAssertions: trustedFile,
    isNew: false,
  };
}

async function signRoots(
  { db, username, displayName }: InitialiseOptions,
  { keyring, rootKey, storeKey }: RootKeys,
  operatorAccountId: string,
): Promise<Roots['assertions']> {
  const now = db.clock.now();
  const root = keyring.signer(rootKey.id, 'root');
  const account = await signAssertion(
    {
      type: 'account',
      headers: {
        'authority-id': operatorAccountId,
        'account-id': operatorAccountId,
        'display-name': displayName,
        username,
        validation: 'verified',
        timestamp: timestamp(now),
      },
    },
    root,
    now,
  );
  const keyOf = (name: string, key: PublicKey, signer: Signer): Promise<Assertion> =>
    signAssertion(
      {
        type: 'account-key',
        headers: {
          'authority-id': operatorAccountId,
          'public-key-sha3-384': key.id,
          'account-id': operatorAccountId,
          name,
          since: timestamp(now),
        },
        body: key.encoded,
      },
      signer,
      now,
    );
  return [
    account,
    await keyOf('root', rootKey, root),
    await keyOf('store', storeKey.publicKey, root),
  ];
}

async function insertInstallation(
  tx: Tx,
  { operatorEmail, username, displayName }: InitialiseOptions,
  { rootKey, storeKey }: RootKeys,
  { operatorAccountId, assertions }: Roots,
  password: string,
): Promise<void> {
  const publicStoreId = formatId(randomBytes(32));
  // Two at once: the second waits for the first's row and fails on it.
  await tx.insert(Installation, {
    id: 1,
    operatorAccountId,
    rootKeyId: rootKey.id,
    storeKeyId: storeKey.publicKey.id,
    publicStoreId,
  });
  await tx.insert(Account, {
    id: operatorAccountId,
    username,
    displayName,
    validation: 'verified',
    isBrand: true,
  });
  await tx.insert(BrandStore, {
    id: publicStoreId,
    brandId: operatorAccountId,
    name: 'public',
    allowPublic: true,
  });
  await tx.insert(SealedKey, {
    keyId: storeKey.publicKey.id,
    purpose: 'store',
    accountId: operatorAccountId,
    sealed: { envelope: storeKey.sealed },
  });
  for (const assertion of assertions) await keepAssertion(tx, assertion);
  await tx.insert(Person, {
    email: operatorEmail,
    displayName: 'Operator',
    passwordHash: await hashPassword(password, randomBytes(SALT_BYTES)),
    isOperator: true,
  });
  await recordAudit(tx, {
    brandId: operatorAccountId,
    actor: 'system',
    action: 'initialise',
    subject: `account:${operatorAccountId}`,
    detail: { rootKeyId: rootKey.id, storeKeyId: storeKey.publicKey.id },
  });
}
