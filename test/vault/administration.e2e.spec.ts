import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  getNamedType,
  isUnionType,
  isObjectType,
} from 'graphql';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BRAND, mutate, query, registerBrand, startVault, type RunningVault } from './vault-kit.js';
import { initVault } from '../../apps/serial-vault/src/init-vault.js';
import { ask } from '../../tools/clients/http.js';

let vault: RunningVault;
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
});
afterAll(() => vault?.stop());

const token = (scope: string, brand = BRAND): Promise<{ id: string; token: string }> =>
  mutate(
    vault,
    vault.token,
    `createToken(brand: "${brand}", input: { name: "t", scope: ${scope} })`,
    'NewToken',
    'id token',
  );

it('init is harmless when it runs twice, and refuses another root', async () => {
  expect(await initVault(vault.env)).toEqual({});
  expect(await query(vault, vault.token, '{ me { scope brandId } }')).toEqual({
    me: { scope: 'admin', brandId: null },
  });
});

const readSchema = (): Promise<string> =>
  readFile(new URL('../../apps/serial-vault/schema.graphql', import.meta.url), 'utf8');

/** Any value of the right shape: the gate must answer before anybody looks at it. */
function sample(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return sample(type.ofType);
  if (isListType(type)) return [];
  const named = getNamedType(type);
  if (isEnumType(named)) return named.getValues()[0]?.name;
  if (isInputObjectType(named))
    return Object.fromEntries(
      Object.values(named.getFields())
        .filter((field) => isNonNullType(field.type))
        .map((field) => [field.name, sample(field.type)]),
    );
  return (
    {
      Int: 1,
      Boolean: true,
      DateTime: '2026-01-01T00:00:00Z',
      ID: '3f0c1f4e-2a11-4b6e-9d57-0d9e0c1b2a34',
    }[named.name] ?? 'x'
  );
}

describe('isolation', () => {
  it('no field lets a foreign brand in, and each keeps to its scope', async () => {
    const schema = buildSchema(await readSchema());
    await vault.sql(
      `INSERT INTO vault.brands (id, username, display_name) VALUES ('foreign', 'foreign', 'Foreign')`,
    );
    const tokens: Record<string, string> = { none: '' };
    for (const scope of ['viewer', 'operator', 'admin']) {
      tokens[scope] = (await token(scope)).token;
      tokens[`foreign ${scope}`] = (await token(scope, 'foreign')).token;
    }
    const call = async (
      kind: string,
      field: GraphQLField<unknown, unknown>,
      who: string,
    ): Promise<string> => {
      const args = field.args.filter((arg) => isNonNullType(arg.type));
      const declared = args.map((arg) => `$${arg.name}: ${arg.type.toString()}`).join(', ');
      const given = args.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
      const named = getNamedType(field.type);
      const selection = isUnionType(named) || isObjectType(named) ? '{ __typename }' : '';
      const variables = Object.fromEntries(
        args.map((arg) => [arg.name, arg.name === 'brand' ? BRAND : sample(arg.type)]),
      );
      const document = `${kind} ${declared ? `(${declared})` : ''} { r: ${field.name}${given ? `(${given})` : ''} ${selection} }`;
      try {
        const { r } = await query<{ r: { __typename?: string } | null }>(
          vault,
          tokens[who] ?? '',
          document,
          variables,
        );
        return { Forbidden: 'forbidden', NotFound: 'not-found' }[r?.__typename ?? ''] ?? 'let in';
      } catch (error) {
        const code = error instanceof Error ? (error.message.split(':')[0] ?? '') : '';
        return ['unauthorized', 'forbidden', 'not-found'].includes(code) ? code : 'let in';
      }
    };
    const fields = [
      ...Object.values(schema.getQueryType()?.getFields() ?? {}).map(
        (field) => ['query', field] as const,
      ),
      ...Object.values(schema.getMutationType()?.getFields() ?? {}).map(
        (field) => ['mutation', field] as const,
      ),
    ];
    expect(fields.length).toBeGreaterThan(30);
    const ofInstallation = ['registerBrand', 'blockDeviceKey'];
    const ofOperator = [
      'listSerials',
      'approveRequest',
      'refuseRequest',
      'revokeDevice',
      'pullModels',
    ];
    for (const [kind, field] of fields) {
      const place = `${kind} ${field.name}`;
      expect([place, await call(kind, field, 'none')]).toEqual([place, 'unauthorized']);
      for (const scope of ['viewer', 'operator', 'admin']) {
        const isForeignVisible = ['me', 'brands'].includes(field.name);
        const foreign = await call(kind, field, `foreign ${scope}`);
        expect([place, foreign]).toEqual([
          place,
          isForeignVisible
            ? 'let in'
            : ofInstallation.includes(field.name)
              ? 'forbidden'
              : 'not-found',
        ]);
      }
      if (ofInstallation.includes(field.name)) {
        expect([place, await call(kind, field, 'admin')]).toEqual([place, 'forbidden']);
      } else if (kind === 'mutation') {
        expect([place, await call(kind, field, 'viewer')]).toEqual([place, 'forbidden']);
        if (!ofOperator.includes(field.name))
          expect([place, await call(kind, field, 'operator')]).toEqual([place, 'forbidden']);
      } else {
        expect([place, await call(kind, field, 'viewer')]).toEqual([place, 'let in']);
      }
    }
    const { brands } = await query<{ brands: { id: string }[] }>(
      vault,
      tokens['foreign viewer'] ?? '',
      '{ brands { id } }',
    );
    expect(brands.map(({ id }) => id)).toEqual(['foreign']);
  });

  it('a revoked or expired token ends at once', async () => {
    const made = await token('admin');
    const me = (): Promise<unknown> => query(vault, made.token, '{ me { scope } }');
    expect(await me()).toEqual({ me: { scope: 'admin' } });
    await mutate(
      vault,
      vault.token,
      `revokeToken(brand: "${BRAND}", id: "${made.id}")`,
      'Done',
      'isDone',
    );
    await expect(me()).rejects.toThrow('unauthorized');
  });

  it('GraphQL that is wrong in itself is refused in words, and nothing internal is told', async () => {
    await expect(query(vault, vault.token, '{ nothing }')).rejects.toThrow('Cannot query field');
    await expect(query(vault, vault.token, '{{{')).rejects.toThrow('Syntax Error');
    const deep =
      '{ __schema { types { fields { type { ofType { ofType { ofType { ofType { name } } } } } } } } }';
    await expect(query(vault, vault.token, deep)).rejects.toThrow('bad-request');
    await expect(
      mutate(
        vault,
        vault.token,
        `approveRequest(brand: "${BRAND}", id: "no-uuid")`,
        'PendingRequest',
        'state',
      ),
    ).rejects.toThrow('NotFound');
    const text = await ask(`${vault.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: 'x',
    });
    expect(text.status).toBeLessThan(500);
  });
});
