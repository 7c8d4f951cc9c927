import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from 'typescript-eslint';
import { ESLint, Linter } from 'eslint';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { arbitraryWorld } from '../testing/arbitrary-world.js';
import { device, install, refresh, HOUR, T } from '../testing/world.js';
import { compilePolicy } from './policy/compile.js';
import { resolve } from './resolve.js';

const HERE = import.meta.dirname;

/** What a decision must not touch, as somebody might write it. */
const IMPURE: readonly string[] = [
  'export const t = Date.now();',
  'export const t = new Date();',
  'export const n = Math.random();',
  'export const t = performance.now();',
  'export const t = globalThis.Date.now();',
  'export const z = process.env.TZ;',
  'export const a = fetch("http://localhost/");',
  'setTimeout(() => undefined, 1);',
  'console.log(1);',
  'import { readFileSync } from "node:fs"; export const f = readFileSync;',
  'import { request } from "node:http"; export const f = request;',
  'import { randomBytes } from "node:crypto"; export const f = randomBytes;',
  'import pg from "pg"; export const f = pg;',
  'export const f = import("node:fs");',
  'export const s = ["b", "a"].sort((a, b) => a.localeCompare(b));',
  'export const s = (1.5).toLocaleString();',
  'export const s = "I".toLocaleLowerCase();',
  'export const h = new Date(0).getHours();',
  'export const f = new Intl.NumberFormat();',
  'export const f = new Intl.DateTimeFormat(undefined, { timeZone: "UTC" });',
  'export const f = Intl.DateTimeFormat();',
];

describe('the lint of this room', () => {
  let rules: Linter.RulesRecord;

  beforeAll(async () => {
    const file = join(HERE, 'resolve.ts');
    const config = (await new ESLint().calculateConfigForFile(file)) as {
      rules: Linter.RulesRecord;
    };
    rules = Object.fromEntries(
      Object.entries(config.rules).filter(([name]) => name.startsWith('no-restricted-')),
    );
  });

  const faults = (code: string): Linter.LintMessage[] =>
    new Linter().verify(
      code,
      [
        // The parser of typescript-eslint says less of its type than ESLint asks.
        { files: ['**/*.ts'], languageOptions: { parser: parser }, rules },
      ],
      'some.ts',
    );

  it.each(IMPURE)('U12 refuses %s', (code) => {
    expect(faults(code).map(({ ruleId }) => ruleId)).toContainEqual(
      expect.stringMatching(/^no-restricted-/),
    );
  });

  it('U12 finds nothing of the kind in any file, spec files aside', () => {
    const files = readdirSync(HERE, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'),
    );
    expect(files).toContain(join('rules', 'rollout.ts'));
    for (const name of files)
      expect([name, faults(readFileSync(join(HERE, name), 'utf8'))]).toEqual([name, []]);
  });
});

describe('with frozen globals', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it('U12 decisions come out the same when clock, dice, timers, network and locale are out of reach', () => {
    const worlds = fc.sample(arbitraryWorld, { seed: 12, numRuns: 60 });
    const decide = (): string[] =>
      worlds.flatMap((rows) => {
        const policy = compilePolicy(rows);
        return ['Europe/Berlin', null].flatMap((timezone) =>
          [install(), ...[1, 4, 7, 10].map((revision) => refresh(revision))].map((request) =>
            JSON.stringify(resolve(device({ timezone }), request, policy, T + HOUR)),
          ),
        );
      });
    const before = decide();
    freezeGlobals();
    expect(() => Date.now()).toThrow('not in a pure function');
    const after = decide();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    expect(after).toEqual(before);
    expect(new Set(before).size).toBeGreaterThan(20);
  });

  /** Whoever reaches for one of these fails. */
  function freezeGlobals(): void {
    const forbidden = (): never => {
      throw new Error('not in a pure function');
    };
    vi.spyOn(Date, 'now').mockImplementation(forbidden);
    vi.spyOn(Math, 'random').mockImplementation(forbidden);
    vi.spyOn(String.prototype, 'localeCompare').mockImplementation(forbidden);
    for (const method of ['toLocaleLowerCase', 'toLocaleUpperCase'] as const)
      vi.spyOn(String.prototype, method).mockImplementation(forbidden);
    vi.spyOn(Number.prototype, 'toLocaleString').mockImplementation(forbidden);
    vi.spyOn(Date.prototype, 'getTimezoneOffset').mockImplementation(forbidden);
    vi.spyOn(Date.prototype, 'getHours').mockImplementation(forbidden);
    for (const name of ['fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'])
      vi.stubGlobal(name, forbidden);
    vi.stubGlobal('performance', { now: forbidden });
    vi.stubGlobal('crypto', { getRandomValues: forbidden, randomUUID: forbidden });
    vi.stubEnv('TZ', 'Pacific/Apia');
    vi.stubEnv('LANG', 'tr_TR.UTF-8');
  }
});
