import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkJsonBody, writeJsonBody } from './json-body.js';

it('writes any value in the form that it takes, and the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = writeJsonBody(value);
      checkJsonBody(Buffer.from(text));
      expect(JSON.parse(text)).toEqual(value);
    }),
  );
});

it('sorts keys, indents by two spaces and escapes as Go does', () => {
  expect(writeJsonBody({ b: [1, {}], a: '<&>\\b\b' })).toBe(
    '{\n  "a": "\\u003c\\u0026\\u003e\\\\b\\u0008",\n  "b": [\n    1,\n    {}\n  ]\n}',
  );
});
