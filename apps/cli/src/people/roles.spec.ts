import { describe, expect, it } from 'vitest';
import { UsageError } from '../usage.js';
import { readRole, roleText } from './roles.js';

describe('a role on the command line', () => {
  it.each([
    ['admin', { role: 'admin' }],
    ['publisher:store=lab', { role: 'publisher', stores: ['lab'] }],
    [
      'releaser:fleet=berlin lab,snap=dash',
      { role: 'releaser', fleets: ['berlin lab'], snaps: ['dash'] },
    ],
    ['operator:fleet=a, fleet=b', { role: 'operator', fleets: ['a', 'b'] }],
  ])('%s', (text, role) => {
    expect(readRole(text)).toEqual(role);
  });

  it.each(['publisher:', 'publisher:lab', 'publisher:shop=lab', 'publisher:store='])(
    'is not %s',
    (text) => {
      expect(() => readRole(text)).toThrow(UsageError);
    },
  );

  it('is shown as it is typed', () => {
    const all = { stores: null, fleets: null, snaps: null };
    expect(roleText({ role: 'admin', ...all })).toBe('admin');
    expect(roleText({ role: 'releaser', ...all, fleets: ['a', 'b'], snaps: ['s'] })).toBe(
      'releaser:fleet=a,fleet=b,snap=s',
    );
  });
});
