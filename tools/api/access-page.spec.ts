import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { accessPage } from './access-page.js';

it('docs/access.md is what the tables say; `npm run api:write` writes it', () => {
  const committed = readFileSync(new URL('../../docs/access.md', import.meta.url), 'utf8');
  expect(accessPage()).toBe(committed);
});
