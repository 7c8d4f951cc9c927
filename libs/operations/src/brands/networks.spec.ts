import { describe, expect, it } from 'vitest';
import { isInNetworks, isNetwork } from './networks.js';

describe('networks', () => {
  it.each([
    ['10.1.2.3', ['10.0.0.0/8'], true],
    ['11.1.2.3', ['10.0.0.0/8'], false],
    ['::ffff:10.1.2.3', ['10.0.0.0/8'], true],
    ['192.0.2.7', ['192.0.2.7'], true],
    ['192.0.2.8', ['192.0.2.7'], false],
    ['2001:db8::1', ['10.0.0.0/8', '2001:db8::/32'], true],
    ['2001:db9::1', ['2001:db8::/32'], false],
    ['nonsense', ['0.0.0.0/0', '::/0'], false],
    ['10.1.2.3', [], false],
  ])('%s in %j: %s', (address, networks, expected) => {
    expect(isInNetworks(address, networks)).toBe(expected);
  });

  it.each(['10.0.0.0/33', '10.0.0/8', '10.0.0.0/8/8', '::/129', 'x', '', '10.0.0.0/'])(
    'none is %j',
    (text) => {
      expect(isNetwork(text)).toBe(false);
    },
  );
});
