import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXPLANATIONS, reasonText } from './explain.js';

describe('explanations', () => {
  it('U97 every code that a rule gives has words, a remedy and a line in docs/reasons.md, and none is left over', () => {
    const folder = new URL('./rules/', import.meta.url);
    const sources = [
      ...readdirSync(folder).map((name) => new URL(name, folder)),
      new URL('./resolve.ts', import.meta.url),
    ]
      .filter((url) => url.pathname.endsWith('.ts') && !url.pathname.endsWith('.spec.ts'))
      .map((url) => readFileSync(url, 'utf8'))
      .join('\n');
    const known = Object.keys(EXPLANATIONS);
    expect(known.filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
    for (const { meaning, remedy } of Object.values(EXPLANATIONS))
      expect(meaning.length * remedy.length).toBeGreaterThan(0);
    const page = readFileSync(new URL('../../../docs/reasons.md', import.meta.url), 'utf8');
    const lines = Object.entries(EXPLANATIONS).map(
      ([code, { meaning, remedy }]) => `| ${code} | ${meaning} | ${remedy} |`,
    );
    expect(page.split('\n').filter((line) => /^\| [A-Z_]+ \|/.test(line))).toEqual(lines);
  });

  it('gives one line with the details', () => {
    expect(reasonText({ code: 'UP_TO_DATE' })).toBe('the device has what it should have');
    expect(reasonText({ code: 'HELD_BRAND', detail: { reason: 'fair', until: 5 } })).toBe(
      'the brand holds updates (reason fair, until 1970-01-01T00:00:00.005Z)',
    );
  });
});
