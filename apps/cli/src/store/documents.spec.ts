import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import '../main.js';
import { allDocuments } from './graphql.js';

it('asks the store only for what its schema has', () => {
  const file = join(import.meta.dirname, '../../../store-api/schema.graphql');
  const schema = buildSchema(readFileSync(file, 'utf8'));
  const problems = allDocuments.flatMap((document) =>
    validate(schema, parse(document)).map(({ message }) => `${message} in ${document}`),
  );
  expect(allDocuments.length).toBeGreaterThan(0);
  expect(problems).toEqual([]);
});
