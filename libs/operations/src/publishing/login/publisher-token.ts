import { randomBytes } from 'node:crypto';
import {
  Account,
  Collaborator,
  Membership,
  Person,
  Snap,
  Token,
  type Role,
  type Tx,
} from '#libs/database';
import { In } from 'typeorm';
import { OperationError } from '../../operation-error.js';
import { refusal } from '../wire-code.js';
import type { PendingLogin } from './pending-login.js';
import type { Publisher } from './publisher.js';

/** What can log in as a publisher at all. */
export const PUBLISHING: readonly Role[] = ['admin', 'publisher', 'releaser'];

/** Ids of snaps by their names; where an account is named, of those that it may publish: others are not there. Throws `not-found`. */
export async function findSnapIds(
  tx: Tx,
  names: readonly string[],
  accountId?: string,
): Promise<string[]> {
  const named = await tx.findBy(Snap, { name: In([...names]) });
  const shared = accountId === undefined ? [] : await tx.findBy(Collaborator, { accountId });
  const snaps = named.filter(
    ({ id, brandId }) =>
      accountId === undefined ||
      brandId === accountId ||
      shared.some(({ snapId }) => snapId === id),
  );
  const missing = names.find((name) => !snaps.some((snap) => snap.name === name));
  if (missing !== undefined) {
    throw refusal('not-found', 'resource-not-found', `Snap not found for name=${missing}`);
  }
  return snaps.map((snap) => snap.id);
}

/** The account that was named, or the only one in which the person publishes. */
export async function chooseAccount(
  tx: Tx,
  personId: string,
  username: string | undefined,
): Promise<string> {
  const memberships = await tx.findBy(Membership, { personId, role: In([...PUBLISHING]) });
  const ids = [...new Set(memberships.map((membership) => membership.brandId))];
  const accounts = (await tx.findBy(Account, { id: In(ids) })).filter(
    (account) => username === undefined || account.username === username,
  );
  const [account, ...more] = accounts;
  if (!account)
    throw refusal(
      'forbidden',
      'user-not-ready',
      'You do not publish for any account of this store.',
    );
  if (more.length === 0) return account.id;
  const names = accounts.map((known) => known.username).sort();
  throw refusal(
    'forbidden',
    'user-not-ready',
    `You publish for several accounts (${names.join(', ')}): log in as <your e-mail address>/<account>.`,
  );
}

/** The token of a login; throws `conflict` where it is there already. */
export async function insertToken(
  tx: Tx,
  pending: PendingLogin,
  personId: string,
  brandId: string,
): Promise<void> {
  const { tokenId, permissions, packages, channels, description, expiresAtMs } = pending;
  const inserted = await tx
    .createQueryBuilder()
    .insert()
    .into(Token)
    .values({
      id: tokenId,
      kind: 'publisher',
      // Proven by its own HMAC chain; the column must be unique.
      secretHash: `publisher:${tokenId}:${randomBytes(8).toString('hex')}`,
      personId,
      brandId,
      description: description.slice(0, 200),
      scope: { permissions, ...(packages && { packages }), ...(channels && { channels }) },
      expiresAt: new Date(expiresAtMs),
    })
    .orIgnore()
    .returning('id')
    .execute();
  if ((inserted.raw as unknown[]).length > 0) return;
  throw refusal(
    'conflict',
    'invalid-field',
    'This login request was answered already; start again.',
  );
}

/** One that is neither over nor revoked. */
export async function findToken(tx: Tx, tokenId: string, now: Date): Promise<Token | null> {
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(tokenId);
  const token = isUuid ? await tx.findOneBy(Token, { id: tokenId, kind: 'publisher' }) : null;
  return token && token.revokedAt === null && token.expiresAt > now ? token : null;
}

/** Whom the token stands for, with what they may do now. Throws `unauthorized`. */
export async function loadPublisher(tx: Tx, token: Token, accountId: string): Promise<Publisher> {
  const person = await tx.findOneByOrFail(Person, { id: token.personId });
  const account = await tx.findOneByOrFail(Account, { id: accountId });
  const memberships = await tx.findBy(Membership, { personId: person.id, brandId: accountId });
  const grants = memberships.map(({ role, limits }) => ({ role, limits }));
  if (!grants.some(({ role }) => PUBLISHING.includes(role))) {
    throw new OperationError('unauthorized', 'The login is over.', {
      wire: 'macaroon-authorization-required',
    });
  }
  return {
    tokenId: token.id,
    personId: person.id,
    email: person.email,
    displayName: person.displayName,
    accountId,
    username: account.username,
    grants,
    permissions: token.scope.permissions ?? [],
    channels: token.scope.channels ?? null,
    packages: token.scope.packages ?? null,
    expiresAt: token.expiresAt,
  };
}
