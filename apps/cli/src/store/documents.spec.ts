import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import '../main.js';
import { allVaultDocuments } from '../vault/vault-graphql.js';
import { allDocuments } from './graphql.js';

it.each([
  ['store-api', allDocuments],
  ['serial-vault', allVaultDocuments],
])('asks %s only for what its schema has', (app, documents) => {
  const file = join(import.meta.dirname, `../../../${app}/schema.graphql`);
  const schema = buildSchema(readFileSync(file, 'utf8'));
  const problems = documents.flatMap((document) =>
    validate(schema, parse(document)).map(({ message }) => `${message} in ${document}`),
  );
  expect(documents.length).toBeGreaterThan(0);
  expect(problems).toEqual([]);
});
