import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  LIMIT_KINDS,
  isWithin,
  mayDo,
  maySee,
  narrowGrants,
  tidyLimits,
  type Grant,
  type Limits,
  type Thing,
} from './grants.js';
import { hashRecoveryCode, formatRecoveryCode } from './recovery-code.js';

const operatorIn = (limits: Limits): Grant[] => [{ role: 'operator', limits }];

describe('a role without limits', () => {
  it('reaches everything, for acts of that role alone', () => {
    for (const subject of [[], [{ fleets: ['a'] }], [{ snaps: ['s'], stores: ['m'] }]]) {
      expect(mayDo(operatorIn({}), ['operator'], subject)).toBe(true);
      expect(maySee(operatorIn({}), 'member', subject)).toBe(true);
      expect(mayDo(operatorIn({}), ['releaser', 'admin'], subject)).toBe(false);
      expect(mayDo([], 'member', subject)).toBe(false);
      expect(maySee([], 'member', subject)).toBe(false);
    }
  });
});

describe('a role within limits', () => {
  const berlin = operatorIn({ fleets: ['berlin'] });
  const both = operatorIn({ fleets: ['berlin'], snaps: ['dash'] });

  it.each([
    ['its fleet', berlin, [{ fleets: ['berlin'] }], true],
    ['another fleet', berlin, [{ fleets: ['paris'] }], false],
    ['its fleet and another', berlin, [{ fleets: ['berlin'] }, { fleets: ['paris'] }], false],
    ['a device of its fleet and others', berlin, [{ fleets: ['paris', 'berlin'] }], true],
    ['a device of no fleet', berlin, [{ fleets: [] }], false],
    ['the whole brand', berlin, [], false],
    ['a snap for every fleet', berlin, [{ snaps: ['dash'] }], false],
    ['its fleet, all snaps, of two limits', both, [{ fleets: ['berlin'] }], false],
    ['its fleet and snap', both, [{ fleets: ['berlin'] }, { snaps: ['dash'] }], true],
    ['its fleet and another snap', both, [{ fleets: ['berlin'] }, { snaps: ['core'] }], false],
  ])('acts on %s: %#', (_what, grants, subject, expected) => {
    expect(mayDo(grants, ['operator'], subject)).toBe(expected);
  });

  it.each([
    ['the whole brand, which is theirs too', [], true],
    ['a snap', [{ snaps: ['dash'] }], true],
    ['its fleet', [{ fleets: ['berlin'] }], true],
    ['another fleet', [{ fleets: ['paris'] }], false],
    ['a device of no fleet', [{ fleets: [] }], false],
  ])('sees %s', (_what, subject, expected) => {
    expect(maySee(berlin, 'member', subject)).toBe(expected);
  });

  it('never lends its reach to another role', () => {
    const grants: Grant[] = [
      { role: 'viewer', limits: {} },
      { role: 'releaser', limits: { fleets: ['berlin'] } },
    ];
    expect(mayDo(grants, ['releaser'], [{ fleets: ['paris'] }])).toBe(false);
    expect(mayDo(grants, ['releaser'], [{ fleets: ['berlin'] }])).toBe(true);
    expect(maySee(grants, 'member', [{ fleets: ['paris'] }])).toBe(true);
  });
});

const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 });
const limits = fc.record({ stores: ids, fleets: ids, snaps: ids }, { requiredKeys: [] });
const grant = fc.record({ role: fc.constantFrom('operator', 'releaser' as const), limits });
const subject: fc.Arbitrary<Thing[]> = fc.array(limits, { maxLength: 3 });

describe('whatever the limits are', () => {
  it('what may be done may be seen', () => {
    fc.assert(
      fc.property(fc.array(grant), subject, (grants, about) => {
        if (mayDo(grants, ['operator'], about)) expect(maySee(grants, 'member', about)).toBe(true);
      }),
    );
  });

  it('a token may do what its owner may and its own scope allows, and nothing else', () => {
    const one = fc.constantFrom('a', 'b', 'c').map((id) => [id]);
    const things = fc.array(
      fc.record({ stores: one, fleets: one, snaps: one }, { requiredKeys: [] }),
    );
    fc.assert(
      fc.property(
        fc.array(grant),
        limits,
        fc.boolean(),
        things,
        (grants, scope, withRole, about) => {
          const roles = withRole ? ['operator'] : ['viewer'];
          const left = narrowGrants(grants, { roles, limits: scope });
          const allowed =
            withRole && mayDo([{ role: 'operator', limits: scope }], ['operator'], about);
          expect(mayDo(left, ['operator'], about)).toBe(
            allowed && mayDo(grants, ['operator'], about),
          );
        },
      ),
    );
  });

  it('what lies within them reaches no further', () => {
    fc.assert(
      fc.property(limits, limits, subject, (inner, outer, about) => {
        const reach = (of: Limits): boolean => mayDo(operatorIn(of), ['operator'], about);
        if (isWithin(inner, outer) && reach(inner)) expect(reach(outer)).toBe(true);
      }),
    );
  });

  it('they have one form', () => {
    fc.assert(
      fc.property(limits, (some) => {
        const shuffled = Object.fromEntries(
          [...LIMIT_KINDS].reverse().map((kind) => [kind, some[kind]?.slice().reverse()]),
        );
        expect(JSON.stringify(tidyLimits(shuffled))).toBe(JSON.stringify(tidyLimits(some)));
      }),
    );
  });
});

describe('a recovery code', () => {
  const code = formatRecoveryCode(Buffer.alloc(16, 7));

  it('is known again however it is typed', () => {
    expect(code).toMatch(/^([a-z2-9]{4}-){3}[a-z2-9]{4}$/);
    expect(hashRecoveryCode(` ${code.toUpperCase().replaceAll('-', ' ')} `)).toBe(
      hashRecoveryCode(code),
    );
  });

  it('is nothing else', () => {
    for (const other of ['', '123456', code.slice(1), `${code}a`, code.replace(/^./, '1')])
      expect(hashRecoveryCode(other)).toBeNull();
  });
});
