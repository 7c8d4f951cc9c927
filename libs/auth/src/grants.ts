/** update-control.md 2.11, with the publisher's side beside it. */
export const ROLES = [
  'admin',
  'reviewer',
  'viewer',
  'publisher',
  'operator',
  'releaser',
  'approver',
  'auditor',
] as const;
export type Role = (typeof ROLES)[number];

/** What a grant can be limited to. */
export const LIMIT_KINDS = ['stores', 'fleets', 'snaps'] as const;
type LimitKind = (typeof LIMIT_KINDS)[number];

/** Ids; a kind that is absent is not limited. */
export type Limits = { readonly [K in LimitKind]?: readonly string[] };

/** A role in a brand, for all of it or within limits (mission.md S2, update-control.md 2.11). */
export interface Grant {
  readonly role: Role;
  readonly limits: Limits;
}

/**
 * One thing that an act or a row is about, as limits know it. A snap names its store, a device its store and all its fleets;
 * of several ids of a kind one must lie within the limit, none never does.
 */
export type Thing = Limits;

/** Everything that is concerned; empty: the whole brand. */
export type Subject = readonly Thing[];

/** `member`: any role at all. */
export type AnyRole = readonly Role[] | 'member';

const within = (ids: readonly string[], limit: readonly string[]): boolean =>
  ids.some((id) => limit.includes(id));

const naming = (subject: Subject, kind: LimitKind): (readonly string[])[] =>
  subject.flatMap((thing) => (thing[kind] === undefined ? [] : [thing[kind]]));

const has = (role: Role, roles: AnyRole): boolean => roles === 'member' || roles.includes(role);

/**
 * Whether somebody may act on the subject. What says nothing of a kind concerns all of that kind, and so is beyond a grant
 * that is limited there.
 *
 * @example mayDo([{ role: 'operator', limits: { fleets: ['berlin'] } }], ['operator'], [{ fleets: ['berlin'] }]) // true
 */
export function mayDo(grants: readonly Grant[], roles: AnyRole, subject: Subject): boolean {
  return grants.some(
    ({ role, limits }) =>
      has(role, roles) &&
      LIMIT_KINDS.every((kind) => {
        const limit = limits[kind];
        const named = naming(subject, kind);
        return (
          limit === undefined || (named.length > 0 && named.every((ids) => within(ids, limit)))
        );
      }),
  );
}

/** Whether somebody may see the subject. What concerns all of a kind concerns them too: a hold of the brand holds their fleet. */
export function maySee(grants: readonly Grant[], roles: AnyRole, subject: Subject): boolean {
  return grants.some(
    ({ role, limits }) =>
      has(role, roles) &&
      LIMIT_KINDS.every((kind) => {
        const limit = limits[kind];
        return limit === undefined || naming(subject, kind).every((ids) => within(ids, limit));
      }),
  );
}

/** Whether `inner` reaches nothing that `outer` does not reach: nobody hands out more than they have. */
export function isWithin(inner: Limits, outer: Limits): boolean {
  return LIMIT_KINDS.every((kind) => {
    const limit = outer[kind];
    return limit === undefined || (inner[kind]?.every((id) => limit.includes(id)) ?? false);
  });
}

/** What is left of the grants for a token: its roles, within the limits of both (update-control.md 2.11). */
export function narrowGrants(
  grants: readonly Grant[],
  scope: { readonly roles?: readonly string[] | undefined; readonly limits: Limits },
): Grant[] {
  return grants.flatMap(({ role, limits }) => {
    if (scope.roles !== undefined && !scope.roles.includes(role)) return [];
    const common = intersect(limits, scope.limits);
    const reachesNothing = LIMIT_KINDS.some((kind) => common[kind]?.length === 0);
    return reachesNothing ? [] : [{ role, limits: common }];
  });
}

function intersect(one: Limits, other: Limits): Limits {
  const entries = LIMIT_KINDS.flatMap((kind) => {
    const [a, b] = [one[kind], other[kind]];
    if (a === undefined && b === undefined) return [];
    return [[kind, a === undefined ? b : b === undefined ? a : a.filter((id) => b.includes(id))]];
  });
  return Object.fromEntries(entries) as Limits;
}

/** The same limits in one form: kinds in their order, ids sorted and once. */
export function tidyLimits(limits: {
  readonly [K in LimitKind]?: readonly string[] | null | undefined;
}): Limits {
  const entries = LIMIT_KINDS.flatMap((kind) => {
    const ids = limits[kind];
    return ids === undefined || ids === null ? [] : [[kind, [...new Set(ids)].sort()]];
  });
  return Object.fromEntries(entries) as Limits;
}
