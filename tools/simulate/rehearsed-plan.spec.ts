import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '#stack';
import { DEFAULT_WAVES } from '#libs/update-control';
import { rehearsedPlan } from './rehearsed-plan.js';

const plan = (...lines: string[]): string =>
  ['title: t', 'fleet: f', 'snap: s', 'channel: stable', 'revision: 2', ...lines].join('\n');

describe("a brand's own plan", () => {
  it('has the default waves when it says none, and nothing is left out', () => {
    expect(rehearsedPlan(plan())).toEqual({ waves: DEFAULT_WAVES, leftOut: [] });
  });

  it('gives its waves with soak, ramp and health', () => {
    const wave = '  - { percent: 5, soak: 2h, devicesPerHour: 100, health: { failCount: 3 } }';
    expect(rehearsedPlan(plan('waves:', wave)).waves).toEqual([
      expect.objectContaining({
        ...{ size: { percent: 5 }, soakMs: 7_200_000, devicesPerHour: 100 },
        health: { ...DEFAULT_WAVES[0]?.health, failAbs: 3 },
      }),
    ]);
  });

  it('the sample goes without its lab, its windows and its freezes, and says so', () => {
    const text = readFileSync(join(projectRoot, 'docs/samples/rollout-plan.yaml'), 'utf8');
    const { waves, leftOut } = rehearsedPlan(text);
    expect(waves.map(({ size }) => size)).toEqual([
      { percent: 1, minCount: 5 },
      { percent: 10 },
      { percent: 100 },
    ]);
    expect(leftOut).toEqual(['wave 1 (lab): the whole', 'its windows', 'its freezes']);
  });

  it('gates that people or telemetry must pass are taken as passed, and said', () => {
    const wave = '  - { percent: 5, manual: true, externalGates: [{ name: crashes }] }';
    const { waves, leftOut } = rehearsedPlan(plan('waves:', wave));
    expect(waves[0]?.gates).toEqual([]);
    expect(leftOut).toEqual([
      'wave 1: gate "advance", which counts as passed',
      'wave 1: gate "crashes", which counts as passed',
    ]);
  });

  it('is refused where nothing is left of it', () => {
    const wave = "  - { selector: { fact: 'tag:site', equals: lab } }";
    expect(() => rehearsedPlan(plan('waves:', wave))).toThrow('none of its waves');
  });
});
