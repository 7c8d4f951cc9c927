import { lookup as resolveName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * What no webhook may reach: this machine, its neighbours, and what is no address of anybody (RFC 6890). IPv4 within IPv6
 * (::ffff:10.0.0.1) is judged as IPv4 by Node itself.
 */
const INTERNAL: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['::', 96],
  ['64:ff9b::', 32],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
];

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

function blockList(networks: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of networks) list.addSubnet(address, bits, family(address));
  return list;
}

const internal = blockList(INTERNAL);

/** `10.1.0.0/16, fd00::/8` as the operator writes it. Throws on what is no network. */
export function parseNetworks(text: string): readonly (readonly [string, number])[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.filter(Boolean).map((part) => {
    const [address = '', bits = '', ...rest] = part.split('/');
    const most = isIP(address) === 6 ? 128 : 32;
    if (!isIP(address) || !/^\d{1,3}$/.test(bits) || Number(bits) > most || rest.length > 0)
      throw new Error(`cannot read network "${part}": it must look like 10.1.0.0/16`);
    return [address, Number(bits)] as const;
  });
}

/** Says where webhooks may go: the public internet, and the networks that the operator names. */
export class AddressGuard {
  private readonly allowed: BlockList;

  constructor(allowedNetworks: readonly (readonly [string, number])[] = []) {
    this.allowed = blockList(allowedNetworks);
  }

  /** Why the address may not be reached; null when it may. Without TLS only the operator's own networks. */
  refusal(address: string, isSecure: boolean): string | null {
    if (this.allowed.check(address, family(address))) return null;
    if (internal.check(address, family(address)))
      return `cannot send to ${address}: it is an internal address`;
    return isSecure ? null : `cannot send to ${address} without TLS: use https`;
  }

  /**
   * A `lookup` for one connection: the addresses that are checked are those that are connected to, so that a name cannot
   * change its meaning in between. One bad address refuses the name.
   */
  lookup(isSecure: boolean): LookupFunction {
    return (hostname, options, done) => {
      resolveName(hostname, { ...options, all: true }, (error, found) => {
        const refusal = error
          ? error
          : firstRefusal(found.map(({ address }) => this.refusal(address, isSecure)));
        const [first] = found ?? [];
        if (refusal || !first) return done(refusal ?? new Error('cannot find the host'), []);
        if (options.all) return done(null, found);
        return done(null, first.address, first.family);
      });
    };
  }
}

function firstRefusal(refusals: readonly (string | null)[]): Error | null {
  const refusal = refusals.find((one) => one !== null);
  return refusal ? new Error(refusal) : null;
}
