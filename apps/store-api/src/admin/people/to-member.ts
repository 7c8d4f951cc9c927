import type { Grant, Limits } from '#libs/auth';
import type { ApiToken, GrantOrder, Member, NewApiToken, NewMember } from '#libs/operations';
import type { ApiTokenType, GrantInput, GrantType, MemberType } from './person.type.js';
import type { Role } from '#libs/database';

const toLimits = ({ stores, fleets, snaps }: Limits): Omit<GrantType, 'role'> => ({
  stores: stores ?? null,
  fleets: fleets ?? null,
  snaps: snaps ?? null,
});

export const toGrant = ({ role, limits }: Grant): GrantType => ({ role, ...toLimits(limits) });

/** `publicUrl`: where the page for choosing a password is. The secret stands behind `#`, which no server logs. */
export function toMember(member: Member | NewMember, publicUrl: string): MemberType {
  const invitation = 'invitation' in member ? member.invitation : null;
  return {
    ...member,
    grants: member.grants.map(toGrant),
    invitation,
    invitationLink: invitation === null ? null : `${publicUrl}/invitation#${invitation}`,
  };
}

export function toApiToken({ limits, ...token }: ApiToken | NewApiToken): ApiTokenType {
  return { ...token, ...toLimits(limits) };
}

/** Roles without limits and grants are one list. */
export const toGrantOrders = (
  roles: readonly Role[] | null | undefined,
  grants: readonly GrantInput[] | null | undefined,
): GrantOrder[] => [...(roles ?? []).map((role) => ({ role })), ...(grants ?? [])];
