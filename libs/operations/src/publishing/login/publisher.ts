import { LIMIT_KINDS, mayDo, maySee, type Grant, type Subject } from '#libs/auth';
import type { Role, Snap } from '#libs/database';
import { channelText, findChannel } from '#libs/update-control';
import type { Principal } from '../../brands/principal.js';
import { thingOfSnap } from '../../brands/subject-finder.js';
import type { Actor } from '../actor.js';
import { shortName } from '../channels/release-channels.js';
import { refusal } from '../wire-code.js';

/** Who speaks with a publisher token: a person, for one account, within the token's limits (publisher-api.md 2.4, 2.10). */
export interface Publisher {
  readonly tokenId: string;
  readonly personId: string;
  readonly email: string;
  readonly displayName: string;
  /** The account in whose name they publish: a brand (decisions 1). */
  readonly accountId: string;
  readonly username: string;
  /** What they may do in it at this moment. */
  readonly grants: readonly Grant[];
  readonly permissions: readonly string[];
  /** Patterns; null: all channels. */
  readonly channels: readonly string[] | null;
  /** Snap ids; null: all snaps. */
  readonly packages: readonly string[] | null;
  readonly expiresAt: Date;
}

/** Permission → roles that can use it; every other permission is for whoever belongs to the account. */
const ROLES_FOR: Readonly<Record<string, readonly Role[]>> = {
  package_register: ['admin', 'publisher'],
  package_push: ['admin', 'publisher'],
  package_upload: ['admin', 'publisher'],
  package_update: ['admin', 'publisher'],
  package_manage: ['admin', 'publisher'],
  package_release: ['admin', 'publisher', 'releaser'],
  modify_account_key: ['admin', 'publisher'],
};

/** publisher-api.md 2.10. */
export const PERMISSIONS: readonly string[] = [
  'edit_account',
  'modify_account_key',
  'package_access',
  'package_manage',
  'package_metrics',
  'package_purchase',
  'package_push',
  'package_register',
  'package_release',
  'package_update',
  'package_upload',
  'package_upload_request',
  'store_admin',
  'store_review',
];

export const actorOfPublisher = ({ personId, tokenId }: Publisher): Actor => ({
  personId,
  label: `token:${tokenId}`,
});

/** The same one as operations of the whole store know people; a publisher token is no session. */
export const principalOf = (who: Publisher): Principal => ({
  kind: 'token',
  tokenId: who.tokenId,
  personId: who.personId,
  email: who.email,
  displayName: who.displayName,
  isOperator: false,
  grants: new Map([[who.accountId, who.grants]]),
});

/** Whether one of the permissions is on the token, and a role for it reaches the subject; null: anything at all. */
function reaches(who: Publisher, subject: Subject | null, anyOf: readonly string[]): boolean {
  return anyOf.some((permission) => {
    if (!who.permissions.includes(permission)) return false;
    const roles = ROLES_FOR[permission];
    if (roles === undefined) return maySee(who.grants, 'member', subject ?? []);
    if (subject === null) return who.grants.some(({ role }) => roles.includes(role));
    return mayDo(who.grants, roles, subject);
  });
}

/** One of the permissions, on the token and by a role. Throws `forbidden`: a 401 would delete the client's credentials (3.0). */
export function requirePermission(who: Publisher, ...anyOf: readonly string[]): void {
  if (!reaches(who, null, anyOf)) throw lackingPermission(anyOf);
}

/** The same for what concerns the whole account, such as its keys: roles within limits do not reach it. */
export function requireWholeAccount(who: Publisher, ...anyOf: readonly string[]): void {
  if (!reaches(who, [], anyOf)) throw lackingPermission(anyOf);
}

/** Whoever has one of the roles in the whole account, for what needs no permission of the token (publisher-api.md 2.10). */
export function requireRole(who: Publisher, ...roles: readonly Role[]): void {
  if (!mayDo(who.grants, roles, []))
    throw lacking(`Your role must be one of: ${roles.join(', ')}.`, {});
}

/** The permission reaches this snap: by the token's list and by the limits of the person's roles. */
export function requirePackage(
  who: Publisher,
  snap: Pick<Snap, 'id' | 'storeId'>,
  ...anyOf: readonly string[]
): void {
  const isOnToken = who.packages === null || who.packages.includes(snap.id);
  if (!isOnToken) throw lacking('This login is limited to other snaps.', { permission: 'package' });
  if (!reaches(who, [thingOfSnap(snap)], anyOf))
    throw lacking('Your role is limited to other snaps.', { permission: 'package' });
}

/** Stores in which names may be registered; null: all. A role that is limited to snaps or fleets registers none. */
export function storesFor(who: Publisher, permission: string): readonly string[] | null {
  const limits = who.grants
    .filter(({ role }) => ROLES_FOR[permission]?.includes(role) ?? true)
    .map((grant) => grant.limits)
    .filter((one) => LIMIT_KINDS.every((kind) => kind === 'stores' || one[kind] === undefined));
  if (limits.some(({ stores }) => stores === undefined)) return null;
  return limits.flatMap(({ stores }) => stores ?? []);
}

const lackingPermission = (anyOf: readonly string[]): Error =>
  lacking(`Permission is required: ${anyOf.join(' or ')}.`, { permission: anyOf[0] });

/** Every channel must match a pattern of the token, by its long or its short name (publisher-api.md 2.10, 3.6). */
export function requireChannels(who: Publisher, channels: readonly string[]): void {
  const { channels: patterns } = who;
  if (patterns === null) return;
  const refused = channels.filter((text) => !patterns.some((pattern) => matches(pattern, text)));
  if (refused.length === 0) return;
  throw lacking(`Lacking permission to release to channel(s) ${refused.join(', ')}.`, {
    permission: 'channel',
    channels: refused,
  });
}

const lacking = (message: string, extra: Readonly<Record<string, unknown>>): Error =>
  refusal('forbidden', 'macaroon-permission-required', message, extra);

function matches(pattern: string, text: string): boolean {
  const channel = findChannel(text.trim());
  if (!channel) return false;
  const names = [channelText(channel), ...(channel.track === 'latest' ? [shortName(channel)] : [])];
  return names.some((name) => fnmatch(pattern, name));
}

/** `*` and `?` as the shell has them; everything else stands for itself. */
function fnmatch(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(text);
}
