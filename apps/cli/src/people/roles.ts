import { UsageError } from '../usage.js';

/** A role as the store's `GrantInput` has it; limits are names or ids. */
export interface RoleOrder {
  readonly role: string;
  readonly stores?: readonly string[];
  readonly fleets?: readonly string[];
  readonly snaps?: readonly string[];
}

const KINDS = { store: 'stores', fleet: 'fleets', snap: 'snaps' } as const;

export const rolesHelp = `
ROLE is admin, reviewer, viewer, publisher, operator, releaser, approver or auditor, and may have limits:

  publisher                       in all of the brand
  publisher:store=lab             in one store
  releaser:fleet=berlin,snap=dash for this fleet and this snap
  operator:fleet=berlin,fleet=paris`;

/** @example readRole('releaser:fleet=berlin') // { role: 'releaser', fleets: ['berlin'] } */
export function readRole(text: string): RoleOrder {
  const colon = text.indexOf(':');
  if (colon === -1) return { role: text };
  const limits: Record<string, string[]> = {};
  for (const part of text.slice(colon + 1).split(',')) {
    const [, kind = '', name = ''] = /^([a-z]+)=(.+)$/.exec(part.trim()) ?? [];
    if (!(kind in KINDS))
      throw new UsageError(
        `cannot read the limit "${part}" of ${text}: use store=…, fleet=… or snap=…`,
      );
    (limits[KINDS[kind as keyof typeof KINDS]] ??= []).push(name);
  }
  return { role: text.slice(0, colon), ...limits };
}

/** For an option that may be given several times. */
export const collectRoles = (text: string, before: readonly RoleOrder[] = []): RoleOrder[] => [
  ...before,
  readRole(text),
];

interface ShownGrant {
  readonly role: string;
  readonly stores: readonly string[] | null;
  readonly fleets: readonly string[] | null;
  readonly snaps: readonly string[] | null;
}

/** The same notation, of what the store answered. */
export function roleText({ role, ...limits }: ShownGrant): string {
  const parts = Object.entries(KINDS).flatMap(([kind, member]) =>
    (limits[member] ?? []).map((id) => `${kind}=${id}`),
  );
  return parts.length === 0 ? role : `${role}:${parts.join(',')}`;
}
