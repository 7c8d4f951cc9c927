import 'reflect-metadata';
import { buildSchema } from 'graphql';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Principal } from '#libs/operations';
import { PERMISSIONS, requirePermission } from './permissions.js';
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
  it('has a line for every field of Query and Mutation, and none besides', () => {
    const schema = buildSchema(printed);
    const fields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
      Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`),
    );
    expect(Object.keys(PERMISSIONS).sort()).toEqual(fields.sort());
  });

  it('covers only fields that name a brand where it asks for a role in one', () => {
    const schema = buildSchema(printed);
    const types = { Query: schema.getQueryType(), Mutation: schema.getMutationType() };
    for (const [name, permission] of Object.entries(PERMISSIONS)) {
      if (typeof permission === 'string') continue;
      const [type, field] = name.split('.') as ['Query' | 'Mutation', string];
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
});
