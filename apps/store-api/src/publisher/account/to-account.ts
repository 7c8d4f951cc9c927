import { header } from '#libs/assertions';
import { maySee } from '#libs/auth';
import type { AccountView, Publisher } from '#libs/operations';

const seconds = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');

/** N1: both spellings of id and keys, for clients mix them within one release (publisher-api.md 3.1). */
export function toAccount({ account, snaps, stores, keys }: AccountView, who: Publisher): object {
  const accountKeys = keys.map((key) => ({
    name: header(key, 'name'),
    'public-key-sha3-384': header(key, 'public-key-sha3-384'),
    since: header(key, 'since'),
  }));
  const entries = snaps.map((snap) => [
    snap.name,
    {
      'snap-id': snap.id,
      status: 'Approved',
      since: seconds(snap.createdAt),
      private: snap.isPrivate,
      store: snap.storeId,
      price: null,
      latest_revisions: [],
    },
  ]);
  return {
    id: account.id,
    account_id: account.id,
    username: account.username,
    namespace: account.username,
    'display-name': account.displayName,
    displayname: account.displayName,
    email: who.email,
    validation: account.validation,
    'account-keys': accountKeys,
    account_keys: accountKeys,
    snaps: { '16': Object.fromEntries(entries) as object },
    stores: stores.map(({ id, name }) => ({ id, name, roles: rolesIn(who, id) })),
  };
}

/** The store's words for what a person may do in it. */
function rolesIn({ grants }: Publisher, storeId: string): string[] {
  const words = { admin: 'admin', reviewer: 'review', viewer: 'view' } as const;
  const roles = (['admin', 'reviewer', 'viewer'] as const).filter((role) =>
    maySee(grants, [role], [{ stores: [storeId] }]),
  );
  return [...roles.map((role) => words[role]), 'access'];
}
