import { ROLES, isWithin, tidyLimits, type Grant, type Limits } from '#libs/auth';
import { BrandStore, Fleet, Membership, Snap, type Tx } from '#libs/database';
import { In } from 'typeorm';
import { OperationError } from '../operation-error.js';
import type { Principal } from './principal.js';

/** A role as somebody asks for it: limits name stores, fleets and snaps by id or name. */
export interface GrantOrder {
  readonly role: string;
  readonly stores?: readonly string[] | null | undefined;
  readonly fleets?: readonly string[] | null | undefined;
  readonly snaps?: readonly string[] | null | undefined;
}

export const grantText = ({ role, limits }: Grant): string =>
  `${role} ${JSON.stringify(tidyLimits(limits))}`;

/** Checks roles and limits against what the brand has. Throws `invalid` with a path for every problem. */
export async function readGrants(
  tx: Tx,
  brandId: string,
  orders: readonly GrantOrder[],
): Promise<Grant[]> {
  const problems: { path: string; message: string }[] = [];
  const grants = new Map<string, Grant>();
  for (const [index, order] of orders.entries()) {
    const role = ROLES.find((known) => known === order.role);
    if (role === undefined)
      problems.push({ path: `grants[${index}].role`, message: `cannot find role ${order.role}` });
    const { limits, missing } = await readLimits(tx, brandId, order);
    for (const { kind, message } of missing)
      problems.push({ path: `grants[${index}].${kind}`, message });
    if (role !== undefined) grants.set(grantText({ role, limits }), { role, limits });
  }
  if (problems.length > 0)
    throw new OperationError('invalid', 'cannot give these roles', { problems });
  return [...grants.values()];
}

export interface MissingLimit {
  readonly kind: keyof Limits;
  readonly message: string;
}

/** Ids in place of names. An empty list would reach nothing, and is taken for a slip. */
export async function readLimits(
  tx: Tx,
  brandId: string,
  order: Pick<GrantOrder, 'stores' | 'fleets' | 'snaps'>,
): Promise<{ limits: Limits; missing: MissingLimit[] }> {
  const missing: MissingLimit[] = [];
  const limits: { -readonly [K in keyof Limits]: string[] } = {};
  for (const kind of ['stores', 'fleets', 'snaps'] as const) {
    const asked = order[kind];
    if (asked === null || asked === undefined) continue;
    const known = await LOOKUPS[kind](tx, brandId, asked);
    if (asked.length === 0) missing.push({ kind, message: `cannot limit to no ${kind}` });
    for (const one of asked)
      if (!known.has(one)) missing.push({ kind, message: `cannot find ${one} in this brand` });
    limits[kind] = asked.flatMap((one) => known.get(one) ?? []);
  }
  return { limits: tidyLimits(limits), missing };
}

type Lookup = (tx: Tx, brandId: string, asked: readonly string[]) => Promise<Map<string, string>>;

/** By id or name → id; a name that two share names nothing. */
const LOOKUPS: Readonly<Record<keyof Limits, Lookup>> = {
  stores: async (tx, brandId) => byIdOrName(await tx.findBy(BrandStore, { brandId })),
  fleets: async (tx, brandId) => byIdOrName(await tx.findBy(Fleet, { brandId })),
  snaps: async (tx, brandId, asked) =>
    byIdOrName(
      await tx.findBy(Snap, [
        { brandId, id: In([...asked]) },
        { brandId, name: In([...asked]) },
      ]),
    ),
};

function byIdOrName(rows: readonly { id: string; name: string }[]): Map<string, string> {
  const isShared = (name: string): boolean => rows.filter((row) => row.name === name).length > 1;
  const names = rows.filter(({ name }) => !isShared(name));
  return new Map([
    ...names.map(({ id, name }) => [name, id] as const),
    ...rows.map(({ id }) => [id, id] as const),
  ]);
}

/**
 * Nobody gives or takes what they do not administer themselves; the operator sets a brand up. Throws `forbidden`.
 *
 * @param changed those that come or go; what stays needs nobody's right
 */
export function requireDelegation(
  who: Principal,
  brandId: string,
  changed: readonly Grant[],
): void {
  if (who.isOperator) return;
  const admins = (who.grants.get(brandId) ?? []).filter(({ role }) => role === 'admin');
  const beyond = changed.find(
    ({ limits }) => !admins.some((admin) => isWithin(limits, admin.limits)),
  );
  if (beyond !== undefined)
    throw new OperationError(
      'forbidden',
      `cannot change ${grantText(beyond)}: it reaches beyond what you administer`,
    );
}

/** Writes what the person may do from now on in the brand. */
export async function writeGrants(
  tx: Tx,
  brandId: string,
  personId: string,
  { added, removed }: { readonly added: readonly Grant[]; readonly removed: readonly Grant[] },
): Promise<void> {
  for (const { role, limits } of removed)
    await tx.query(
      `DELETE FROM store.memberships WHERE brand_id = $1 AND person_id = $2 AND role = $3 AND limits = $4`,
      [brandId, personId, role, limits],
    );
  if (added.length === 0) return;
  const rows = added.map(({ role, limits }) => ({ brandId, personId, role, limits }));
  await tx.createQueryBuilder().insert().into(Membership).values(rows).orIgnore().execute();
}

/** What must come and go for `after` to follow on `before`. */
export function compareGrants(
  before: readonly Grant[],
  after: readonly Grant[],
): { added: Grant[]; removed: Grant[] } {
  const without = (some: readonly Grant[], others: readonly Grant[]): Grant[] => {
    const texts = new Set(others.map(grantText));
    return some.filter((one) => !texts.has(grantText(one)));
  };
  return { added: without(after, before), removed: without(before, after) };
}
