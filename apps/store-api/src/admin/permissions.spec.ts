import 'reflect-metadata';
import { buildSchema } from 'graphql';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROLES, type Role } from '#libs/auth';
import { OperationError, type Named, type Principal } from '#libs/operations';
import {
  PERMISSIONS,
  requirePermission,
  type FindSubject,
  type Permission,
} from './permissions.js';
import { printAdminSchema } from './print-admin-schema.js';

let printed: string;
beforeAll(async () => {
  printed = await printAdminSchema();
});

const person = (over: Partial<Principal> = {}): Principal => ({
  kind: 'session',
  tokenId: 't',
  personId: 'p',
  email: 'p@acme.example',
  displayName: 'P',
  isOperator: false,
  grants: new Map([['acme', [{ role: 'releaser', limits: {} }]]]),
  ...over,
});

const nothing = (): Promise<[]> => Promise.resolve([]);

describe('the table of permissions', () => {
  it('has a line for every field of Query, Mutation and Subscription, and none besides', () => {
    const schema = buildSchema(printed);
    const types = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const fields = types.flatMap((type) =>
      Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`),
    );
    expect(Object.keys(PERMISSIONS).sort()).toEqual(fields.sort());
  });

  it('covers only fields that name a brand where it asks for a role in one', () => {
    const schema = buildSchema(printed);
    const types = {
      Query: schema.getQueryType(),
      Mutation: schema.getMutationType(),
      Subscription: schema.getSubscriptionType(),
    };
    for (const [name, permission] of Object.entries(PERMISSIONS)) {
      if (typeof permission === 'string') continue;
      const [type, field] = name.split('.') as [keyof typeof types, string];
      const args = types[type]
        ?.getFields()
        [field]?.args.map((arg) => `${arg.name}: ${String(arg.type)}`);
      // updateBrand is the operator's: it is a line of text, not of roles
      expect(args, name).toContain('brand: ID!');
    }
  });

  it('is the schema that is committed', () => {
    const committed = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
    expect(printed).toBe(committed);
  });

  it('lets in whoever has the role in that brand', async () => {
    await requirePermission('Mutation.createRollout', { brand: 'acme' }, person(), nothing);
  });

  it.each([
    ['nobody', 'Mutation.createRollout', { brand: 'acme' }, null, 'unauthorized'],
    ['another brand', 'Mutation.createRollout', { brand: 'globex' }, person(), 'forbidden'],
    ['another role', 'Mutation.approveRollout', { brand: 'acme' }, person(), 'forbidden'],
    ['a person for the operator', 'Mutation.createBrand', {}, person(), 'forbidden'],
    [
      'the operator for a brand',
      'Mutation.createRollout',
      { brand: 'acme' },
      person({ isOperator: true, grants: new Map() }),
      'forbidden',
    ],
    [
      'a token for an approver',
      'Mutation.approveRollout',
      { brand: 'acme' },
      person({ kind: 'token', grants: new Map([['acme', [{ role: 'approver', limits: {} }]]]) }),
      'forbidden',
    ],
  ])('refuses %s', async (_case, field, args, who, code) => {
    await expect(requirePermission(field, args, who, nothing)).rejects.toMatchObject({ code });
  });

  /** The rule written a second time, from the words of the page instead of the table's code. */
  const expected = (permission: Permission, role: Role | null, kind: Principal['kind']): string => {
    if (permission === 'anyone' || permission === 'person') return 'passes';
    if (permission === 'human') return kind === 'token' ? 'forbidden' : 'passes';
    if (permission === 'operator') return 'forbidden';
    if (permission.human === true && kind === 'token') return 'forbidden';
    if (role === null) return 'forbidden';
    return permission.roles === 'member' || permission.roles.includes(role)
      ? 'passes'
      : 'forbidden';
  };
  const outcome = (field: string, brand: string, who: Principal | null): Promise<string> =>
    requirePermission(field, { brand }, who, nothing).then(
      () => 'passes',
      (error: unknown) => (error instanceof OperationError ? error.code : String(error)),
    );

  it('decides every field for every role, in the own brand and in a foreign one, by session and by token', async () => {
    for (const [field, permission] of Object.entries(PERMISSIONS))
      for (const role of ROLES)
        for (const kind of ['session', 'token'] as const) {
          const who = person({ kind, grants: new Map([['acme', [{ role, limits: {} }]]]) });
          const said = `${field} as ${role} by ${kind}`;
          expect(await outcome(field, 'acme', who), said).toBe(expected(permission, role, kind));
          expect(await outcome(field, 'globex', who), said).toBe(expected(permission, null, kind));
        }
  });

  it('lets nobody without login into anything but the doors', async () => {
    for (const [field, permission] of Object.entries(PERMISSIONS))
      expect(await outcome(field, 'acme', null), field).toBe(
        permission === 'anyone' ? 'passes' : 'unauthorized',
      );
  });

  it('lets a role within limits act only where the arguments name what it reaches', async () => {
    const limits = { stores: ['store'], fleets: ['fleet'], snaps: ['snap'] };
    const outside = () =>
      Promise.resolve([{ stores: ['other'], fleets: ['other'], snaps: ['other'] }]);
    const inside = () => Promise.resolve([limits]);
    for (const [field, permission] of Object.entries(PERMISSIONS)) {
      if (typeof permission === 'string') continue;
      const [role] = permission.roles === 'member' ? (['viewer'] as const) : permission.roles;
      const who = person({ grants: new Map([['acme', [{ role: role ?? 'viewer', limits }]]]) });
      const ask = (find: FindSubject): Promise<boolean> =>
        requirePermission(field, { brand: 'acme' }, who, find).then(
          () => true,
          () => false,
        );
      const { reach = 'brand' } = permission;
      expect(await ask(inside), field).toBe(reach !== 'brand');
      expect(await ask(outside), field).toBe(reach === 'any');
    }
  });

  it('asks for what a stop really stops, whatever stands beside it', async () => {
    const asked: Named[] = [];
    const find: FindSubject = (_brand, things) => {
      asked.push(things);
      return Promise.resolve([]);
    };
    const limits = { fleets: ['f'] };
    const who = person({ grants: new Map([['acme', [{ role: 'operator', limits }]]]) });
    const all = { fleetId: 'f', snap: 's', rolloutId: 'r', revision: 1 };
    for (const scope of ['brand', 'fleet', 'snap', 'revision', 'rollout'])
      await expect(
        requirePermission('Mutation.stop', { brand: 'acme', input: { scope, ...all } }, who, find),
      ).rejects.toMatchObject({ code: 'forbidden' });
    expect(asked).toEqual([{}, { fleet: 'f' }, { snap: 's' }, { snap: 's' }, { rollout: 'r' }]);
  });
});
