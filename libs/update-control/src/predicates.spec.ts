import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { device } from '../testing/world.js';
import { factReader } from './fleets.js';
import type { Predicate } from './predicates.js';
import { evaluate, factsIn, indexTerm, parsePredicate, predicateProblems } from './predicates.js';

const fact = factReader(device({ tags: { site: 'lab', __proto__x: '1' } }), {
  abc: { revision: 7, channel: 'latest/stable' },
});
const lab: Predicate = { fact: 'tag:site', equals: 'lab' };

describe('predicates', () => {
  it.each<[Predicate, boolean]>([
    [lab, true],
    [{ not: lab }, false],
    [{ all: [lab, { fact: 'model', in: ['panel', 'hub'] }] }, true],
    [{ all: [lab, { fact: 'model', equals: 'hub' }] }, false],
    [{ any: [{ fact: 'model', equals: 'hub' }, lab] }, true],
    [{ all: [] }, true],
    [{ any: [] }, false],
    [{ fact: 'tag:none', exists: false }, true],
    [{ fact: 'tag:site', exists: true }, true],
    [{ fact: 'tag:constructor', exists: true }, false],
    [{ fact: 'snap:abc:revision', equals: 7 }, true],
    [{ fact: 'snap:abc:revision', equals: '7' }, false],
    [{ fact: 'snap:other:revision', exists: true }, false],
    [{ fact: 'snap:abc:channel', equals: 'latest/stable' }, true],
    [{ fact: 'architecture', equals: 'amd64' }, true],
  ])('%j is %s', (predicate, expected) => {
    expect(predicateProblems(predicate)).toEqual([]);
    expect(evaluate(predicate, fact)).toBe(expected);
  });

  it('say which facts they ask for', () => {
    const old: Predicate = { fact: 'model', in: ['old'] };
    expect(factsIn({ all: [lab, { not: { any: [old, { all: [] }] } }] })).toEqual([
      'tag:site',
      'model',
    ]);
  });

  it.each([
    [null, /not an object/],
    [[], /not an object/],
    [{ fact: 'tag:a', matches: 'x' }, /cannot read a term with the members "fact matches"/],
    [{ all: [], any: [] }, /cannot read a term/],
    [{ all: {} }, /not a list/],
    [{ fact: 'colour', equals: 'red' }, /there is no such fact/],
    [{ fact: 'tag:', equals: 'red' }, /there is no such fact/],
    [{ fact: 'tag:a', equals: null }, /not text, number or boolean/],
    [{ fact: 'tag:a', in: 'x' }, /cannot read "in"/],
    [{ fact: 'tag:a', exists: 'yes' }, /neither true nor false/],
  ])('refuses %j', (value, message) => {
    expect(() => parsePredicate(value)).toThrow(message);
  });

  it('U18 must not read the revision of the snap that is rolled out', () => {
    const predicate = { all: [lab, { not: { fact: 'snap:abc:revision', equals: 7 } }] };
    expect(predicateProblems(predicate, ['other'])).toEqual([]);
    expect(predicateProblems(predicate, ['abc'])).toEqual([
      {
        path: 'all[1].not',
        message: expect.stringContaining('updating would change who belongs') as string,
      },
    ]);
  });

  it('is at most 8 deep and has at most 32 terms', () => {
    const nested = (depth: number): Predicate => (depth === 1 ? lab : { not: nested(depth - 1) });
    expect(predicateProblems(nested(8))).toEqual([]);
    expect(predicateProblems(nested(9))[0]?.message).toBe('cannot nest deeper than 8');
    expect(predicateProblems({ any: Array(32).fill(lab) })).toEqual([]);
    expect(predicateProblems({ any: Array(33).fill(lab) })[0]?.message).toBe(
      'cannot have 33 terms: at most 32',
    );
  });

  it('is false without its index term, so that filing fleets by it loses no device', () => {
    const leaf = fc
      .record({ name: fc.constantFrom('tag:a', 'tag:b'), value: fc.constantFrom('x', 'y') })
      .chain(({ name, value }) =>
        fc.constantFrom<Predicate>(
          { fact: name, equals: value },
          { fact: name, in: [value, 'z'] },
          { fact: name, exists: true },
        ),
      );
    const tree = fc.letrec<{ node: Predicate }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('node'), { maxLength: 3 }).map((all) => ({ all })),
        fc.array(tie('node'), { maxLength: 3 }).map((any) => ({ any })),
        tie('node').map((not) => ({ not })),
      ),
    })).node;
    const tags = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'y', 'z'));
    fc.assert(
      fc.property(tree, tags, (predicate, given) => {
        const read = factReader(device({ tags: given }), {});
        const term = indexTerm(predicate);
        if (term && !term.values.some((value) => value === read(term.fact)))
          expect(evaluate(predicate, read)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});
