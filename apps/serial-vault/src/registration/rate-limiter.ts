import { BlockList, isIP } from 'node:net';
import type { RateSettings } from '../resources.js';
import { refuse } from '../refusal.js';

const WRONG_KEYS = 20;
const WRONG_KEY_WINDOW_MS = 600_000;
const MAX_SOURCES = 50_000;

interface Bucket {
  perSecond: number;
  perMinute: number;
  at: number;
}

interface Quarantine {
  count: number;
  since: number;
}

/** True when the address lies in one of the addresses or CIDR ranges. */
export function isInRanges(address: string, ranges: readonly string[]): boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = '', prefix] = range.split('/');
    const family = isIP(net) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(net) === 0) continue;
    if (prefix === undefined) list.addAddress(net, family);
    else list.addSubnet(net, Number(prefix), family);
  }
  return isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** An IPv4 address as the socket of a dual-stack server shows it. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d)/, '');

/** Token buckets per source and quarantine for wrong keys (serial-vault.md 16). In memory: each process has its own. */
export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>();
  private readonly quarantines = new Map<string, Quarantine>();

  constructor(private readonly settings: RateSettings) {}

  /** Refuses with `busy`: 503 is what devices come back from by themselves; or with `blocked-address`. */
  check(source: string, address: string, nowMs: number): void {
    if (isInRanges(address, this.settings.exempt)) return;
    if (this.isQuarantined(address, nowMs)) {
      refuse(
        'blocked-address',
        'cannot answer: too many wrong API keys came from this address; wait ten minutes',
      );
    }
    if (!this.take(source, nowMs)) {
      refuse(
        'busy',
        'cannot answer now: too many requests from this source; the device asks again by itself',
      );
    }
  }

  countWrongKey(address: string, nowMs: number): void {
    const known = this.quarantines.get(address);
    if (!known || nowMs - known.since > WRONG_KEY_WINDOW_MS) {
      this.quarantines.set(address, { count: 1, since: nowMs });
      trim(this.quarantines);
      return;
    }
    known.count += 1;
    // The ten minutes begin with the last wrong key.
    if (known.count >= WRONG_KEYS) known.since = nowMs;
  }

  private isQuarantined(address: string, nowMs: number): boolean {
    const known = this.quarantines.get(address);
    return (
      known !== undefined && known.count >= WRONG_KEYS && nowMs - known.since <= WRONG_KEY_WINDOW_MS
    );
  }

  private take(source: string, nowMs: number): boolean {
    const { perSecond, perMinute } = this.settings;
    const bucket = this.buckets.get(source) ?? { perSecond, perMinute, at: nowMs };
    const seconds = Math.max(0, nowMs - bucket.at) / 1000;
    bucket.perSecond = Math.min(perSecond, bucket.perSecond + seconds * perSecond);
    bucket.perMinute = Math.min(perMinute, bucket.perMinute + (seconds * perMinute) / 60);
    bucket.at = nowMs;
    // Taken out and put in again, so that the map is ordered by use and `trim` forgets the idle ones.
    this.buckets.delete(source);
    this.buckets.set(source, bucket);
    trim(this.buckets);
    if (bucket.perSecond < 1 || bucket.perMinute < 1) return false;
    bucket.perSecond -= 1;
    bucket.perMinute -= 1;
    return true;
  }
}

function trim(map: Map<string, unknown>): void {
  if (map.size <= MAX_SOURCES) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
