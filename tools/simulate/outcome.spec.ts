import { describe, expect, it } from 'vitest';
import { ORDINARY, makeFleet } from './model/fleet.js';
import { outcomeOf, outcomeRows } from './outcome.js';

const START = Date.UTC(2026, 0, 5);
const BRICKS = { name: 'bricks', faults: [{ share: 1, effect: 'bricks', after: 1 }] } as const;
const run = { verdict: { kind: 'running', wave: 1 }, hours: 5, openedAt: [0] } as const;

/** Ten serials on twenty machines, of which the first has installed revision 2 an hour before it is looked at. */
function fleet() {
  const shape = { ...ORDINARY, clones: 1, held: 0, metered: 0, failRate: 0, diesPerDay: 1e-9 };
  const calm = { ...shape, flaky: { share: 1, lossRate: 0 } };
  const around = { startMs: START, target: 2, release: BRICKS, outages: [] };
  const devices = makeFleet('outcome', 10, calm, 1, around);
  const [first] = devices;
  if (first === undefined) throw new Error('cannot test without devices');
  const at = first.nextPollAt;
  const conversation = first.poll();
  for (let call = conversation.next(); call.done !== true;)
    call = conversation.next({ revision: 2, isGiven: true });
  return { devices, first, at };
}

describe('the outcome of a run', () => {
  it('tells of each fate what the store believed; two machines with one serial are one device to the store', () => {
    const { devices, first, at } = fleet();
    const stepOf = (uid: string) => (uid === first.traits.uid ? 'DARK' : undefined);
    const outcome = outcomeOf(devices, stepOf, { ...run, endMs: at + 3_600_000 });
    expect(outcome.belief).toEqual({ DARK: 1, 'not offered': 9 });
    expect(outcome.fates).toEqual({ bricked: 1, well: 19 });
    // The twin is well, and nobody can know.
    expect(outcome.believedOf).toEqual({
      bricked: { DARK: 1 },
      well: { DARK: 1, 'not offered': 18 },
    });
    expect(outcomeRows(outcome)).toContainEqual(['really bricked: 1', 'believed DARK 1']);
  });

  it('who has it and is still to break is harmed by it already', () => {
    const { devices, at } = fleet();
    const outcome = outcomeOf(devices, () => undefined, { ...run, endMs: at + 1 });
    expect(outcome.fates).toEqual({ well: 20 });
    expect([outcome.harmed, outcome.installed]).toEqual([0.05, 0.05]);
  });
});
