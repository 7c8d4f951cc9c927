import { afterAll, beforeAll, expect, it } from 'vitest';
import { inParallel } from '../../tools/clients/in-parallel.js';
import { SURFACES, type Template } from './request.js';
import { templates } from './templates.js';
import { differs } from './timing.js';
import { Twins, type Asker } from './twins.js';
import { TwoBrands } from './two-brands.js';

const REQUESTS = Number(process.env['ISOLATION_REQUESTS'] ?? 10_000);
const LANES = 4;
const LAST = 10;
const SEED = 20_261_121;
/** Pairs by which a suspicious time is measured again, with nothing else going on, as long as it stays suspicious. */
const PAIRS = [10, 40, 80];

let world: TwoBrands;
beforeAll(async () => {
  world = await TwoBrands.start();
}, 300_000);
afterAll(() => world?.stop());

/** Mulberry32: a run can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How long the two take when one thing is asked at a time; null: as long. */
async function measure(template: Template, asker: () => Asker): Promise<string | null> {
  let found: string | null = null;
  for (const count of PAIRS) {
    const again = new Twins(world);
    for (let no = 0; no < count; no += 1) await again.askForBoth(template, asker(), no % 2 === 0);
    found = differs(again.times.get(template) ?? []);
    if (found === null) return null;
  }
  return found;
}

it('nothing of a brand shows to another, in body, status, headers, time or text of errors, in 10,000 generated requests by people, tokens, publishers, devices and vaults', async () => {
  const roll = random(SEED);
  const twins = new Twins(world);
  const [left, right] = world.sides;
  const asker = (): Asker => {
    const isLeft = roll() < 0.5;
    const dice = roll();
    return isLeft ? { side: left, other: right, dice } : { side: right, other: left, dice };
  };
  const all = templates();
  const doors = all.filter(({ by }) => by === 'doors' || by === 'vaultDoors');
  const kept = all.filter(({ isKept }) => isKept);
  const others = all.filter((one) => !doors.includes(one) && !kept.includes(one));
  const askAlone = async (some: readonly Template[], times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1)
      for (const one of some) await twins.askForBoth(one, asker(), roll() < 0.5);
  };
  const began = performance.now();
  // Failed logins slow a person down.
  await askAlone(doors, 3);
  while (twins.sent < REQUESTS - 2 * LAST * kept.length) {
    const round = others.map((template) => [roll(), template] as const);
    const shuffled = round.sort(([a], [b]) => a - b).map(([, template]) => template);
    await inParallel(shuffled, LANES, async (template) => {
      const who = asker();
      if (!template.acts && roll() < 0.2) return twins.askForOwn(template, who);
      return twins.askForBoth(template, who, roll() < 0.5);
    });
  }
  await askAlone(kept, LAST);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`${twins.sent} requests of ${all.length} kinds in ${seconds} s`);
  expect(Object.fromEntries(twins.wrong)).toEqual({});
  for (const by of Object.keys(SURFACES))
    if (others.some((one) => one.by === by && !one.acts))
      expect(twins.shown.get(by) ?? 0, `own things shown: ${by}`).toBeGreaterThan(0);
  const suspects = [...twins.times].filter(([, pairs]) => differs(pairs) !== null);
  const slow: Record<string, string> = {};
  for (const [template] of suspects) {
    const found = await measure(template, asker);
    if (found !== null) slow[template.name] = found;
  }
  console.log(`times of ${suspects.length} kinds measured again`);
  expect(slow).toEqual({});
}, 900_000);
