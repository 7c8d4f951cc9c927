import { readFile } from 'node:fs/promises';
import { buildSchema } from 'graphql';
import { beforeAll, expect, it } from 'vitest';
import { PERMISSIONS } from './permissions.js';
import { printVaultSchema } from './print-schema.js';

let printed = '';
beforeAll(async () => {
  printed = await printVaultSchema();
});

it('is what the committed schema.graphql says', async () => {
  const committed = await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8');
  expect(printed).toBe(committed);
});

it('has a permission for every field of Query and Mutation, and no other', () => {
  const schema = buildSchema(printed);
  const fields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
    Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`),
  );
  expect(Object.keys(PERMISSIONS).sort()).toEqual(fields.sort());
});
