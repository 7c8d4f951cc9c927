import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { compilePolicy } from '../src/policy/compile.js';
import { resolve } from '../src/resolve.js';
import { arbitraryWorld } from './arbitrary-world.js';
import { device, HOUR, install, refresh, T } from './world.js';

const ZONES = ['Europe/Berlin', 'Pacific/Apia', 'America/St_Johns', null] as const;
const NIGHT = { windows: [{ days: [6, 7] as const, from: '22:00', to: '11:30' }], freezes: [] };
/** 13 states of the snap × 4 zones × 5 hours. */
const PER_WORLD = 13 * ZONES.length * 5;

/** SHA-256 over the text of at least `count` decisions in worlds that follow from `seed`: equal wherever it runs (U10). */
export function decisionsDigest(seed: number, count: number): { digest: string; count: number } {
  const hash = createHash('sha256');
  const worlds = fc.sample(arbitraryWorld, { seed, numRuns: Math.ceil(count / PER_WORLD) });
  let made = 0;
  for (const [no, rows] of worlds.entries()) {
    const schedule = no % 3 === 0 ? { settings: { schedule: NIGHT, timezone: 'Asia/Tokyo' } } : {};
    const policy = compilePolicy({ ...rows, ...schedule });
    for (const timezone of ZONES)
      for (let hour = 0; hour < 5; hour += 1)
        for (let installed = 0; installed <= 12; installed += 1) {
          const request = installed === 0 ? install() : refresh(installed);
          const uid = `00000000-0000-4000-8000-${String(no * 5 + hour).padStart(12, '0')}`;
          const who = device({ timezone, ...(hour > 0 && { uid }) });
          hash.update(JSON.stringify(resolve(who, request, policy, T + hour * 5 * HOUR)));
          made += 1;
        }
  }
  return { digest: hash.digest('hex'), count: made };
}
