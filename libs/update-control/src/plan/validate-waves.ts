import type { WaveSize } from '../buckets.js';
import { predicateProblems } from '../predicates.js';
import type { HealthGate } from './gates.js';
import type { Fail } from './problem.js';
import type { WavePlan } from './plan.js';

/** Everything that is wrong with the waves of a plan. */
export function checkWaves(waves: readonly WavePlan[], fail: Fail): void {
  if (waves.length === 0) fail('waves', 'cannot roll out without a wave');
  let before = { percent: 0, count: 0 };
  const names = new Set<string>();
  waves.forEach((wave, i) => {
    const path = `waves[${i}]`;
    if (wave.name !== null) checkName(wave.name, `${path}.name`, names, fail);
    if (!wave.size && !wave.selector)
      fail(path, 'cannot open a wave with neither size nor selector');
    if (wave.size) before = checkSize(wave.size, `${path}.size`, before, fail);
    for (const problem of wave.selector ? predicateProblems(wave.selector) : [])
      fail(`${path}.selector`, problem.message);
    if (wave.devicesPerHour !== null && !(wave.devicesPerHour > 0))
      fail(`${path}.devicesPerHour`, 'cannot admit zero devices per hour');
    if (!(wave.soakMs >= 0)) fail(`${path}.soakMs`, 'cannot soak for a negative time');
    if (!(wave.deadlineMs > wave.soakMs))
      fail(`${path}.deadlineMs`, 'cannot end a wave before its soak has passed');
    checkGates(wave, path, fail);
    checkHealth(wave.health, `${path}.health`, fail);
  });
  const last = waves[waves.length - 1];
  if (last && last.size?.percent !== 100)
    fail('waves', 'cannot complete: the last wave does not reach 100 %');
}

function checkName(name: string, path: string, names: Set<string>, fail: Fail): void {
  if (!/^\S(.{0,38}\S)?$/.test(name))
    fail(path, 'cannot name a wave in none or over 40 characters');
  if (names.has(name)) fail(path, `cannot have two waves named ${name}`);
  names.add(name);
}

/** Names that evidence uses for what the store judges by itself. */
const OWN_GATES = new Set(['health', 'health of all waves', 'manual']);

function checkGates({ gates, deadlineMs }: WavePlan, path: string, fail: Fail): void {
  const names = new Set<string>();
  gates.forEach((gate) => {
    if (gate.kind !== 'external') return;
    const at = `${path}.externalGates[${names.size}]`;
    if (!/^\S(.{0,38}\S)?$/.test(gate.name) || OWN_GATES.has(gate.name))
      fail(`${at}.name`, `cannot name a gate "${gate.name}"`);
    if (names.has(gate.name)) fail(`${at}.name`, `cannot have two gates named ${gate.name}`);
    if (!(gate.timeoutMs > 0 && gate.timeoutMs <= deadlineMs))
      fail(`${at}.timeoutMs`, 'cannot wait for a gate longer than for the wave, or not at all');
    names.add(gate.name);
  });
}

function checkHealth(health: HealthGate, path: string, fail: Fail): void {
  if (!(Number.isSafeInteger(health.minSample) && health.minSample >= 0))
    fail(`${path}.minSample`, 'cannot judge a wave on less than no device');
  for (const share of ['successPpm', 'coveragePpm', 'failPpm'] as const) {
    const ppm = health[share];
    if (!(Number.isSafeInteger(ppm) && ppm >= 0 && ppm <= 1e6))
      fail(`${path}.${share}`, `cannot ask for a share of ${ppm / 1e4} %`);
  }
  if (health.failAbs !== null && !(Number.isSafeInteger(health.failAbs) && health.failAbs >= 1))
    fail(`${path}.failAbs`, 'cannot fail a wave on no failure');
}

function checkSize(
  size: WaveSize,
  path: string,
  before: { percent: number; count: number },
  fail: Fail,
): { percent: number; count: number } {
  const { percent, count, minCount } = size;
  if ((percent === undefined) === (count === undefined))
    fail(path, 'cannot size a wave by both or neither of percent and count');
  if (percent !== undefined && !(percent > 0 && percent <= 100))
    fail(path, `cannot admit ${percent} %: not between 0 and 100`);
  if (count !== undefined && !(Number.isSafeInteger(count) && count > 0))
    fail(path, `cannot admit ${count} devices`);
  if (minCount !== undefined && !(Number.isSafeInteger(minCount) && minCount >= 0))
    fail(path, `cannot admit at least ${minCount} devices`);
  if ((percent ?? 100) < before.percent || (count ?? Number.MAX_SAFE_INTEGER) < before.count) {
    fail(path, 'cannot make a wave smaller than the one before it: sizes are cumulative');
  }
  return { percent: percent ?? before.percent, count: count ?? before.count };
}
