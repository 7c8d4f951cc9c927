import { parseArgs } from 'node:util';
import { DEFAULT_WAVES } from '#libs/update-control';
import { main as simulate } from '../simulate/main.js';
import { SCENARIOS } from '../simulate/scenarios.js';
import { blastRadius, inPercent, ratioToBest, type BlastRadius } from '../simulate/blast-radius.js';

/** The bounds of docs/update-control.md. */
export const LIMITS = { ofBest: 0.25, falsePausesPerHundred: 2 } as const;

/**
 * `npm run bench -- simulate [--only scenarios|blast] [--core] [--plan FILE] [--devices 100000] [--fleet 3000] [--repeats 3] [--good 100]
 * [--seed S]`: every scenario with so many devices on a real store (`--core`: on the core alone; `--plan`: by the waves of a plan, but for
 * those that have waves of their own), then the blast radius over fleets of `--fleet` devices; 1 when a verdict is another or a bound is
 * not kept.
 */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      core: { type: 'boolean', default: false },
      plan: { type: 'string' },
      devices: { type: 'string', default: '100000' },
      fleet: { type: 'string', default: '3000' },
      repeats: { type: 'string', default: '3' },
      good: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
    },
  });
  const { devices, seed, core, plan } = values;
  let areExpected = true;
  for (const { name, waves } of values.only === 'blast' ? [] : SCENARIOS) {
    const order = ['--scenario', name, '--devices', devices, '--seed', seed];
    const by = plan !== undefined && waves === DEFAULT_WAVES ? ['--plan', plan] : [];
    const status = await simulate([...order, ...by, ...(core ? ['--core'] : [])]);
    areExpected &&= status === 0;
  }
  if (values.only === 'scenarios') return areExpected ? 0 : 1;
  const result = blastRadius({
    seed,
    devices: Number(values.fleet),
    repeats: Number(values.repeats),
    goodReleases: Number(values.good),
    say: (line) => process.stderr.write(`${line}\n`),
  });
  for (const line of blastRadiusTable(result)) process.stdout.write(`${line}\n`);
  const falsePauses = (result.falsePauses.length * 100) / result.goodReleases;
  const isKept =
    ratioToBest(result) <= LIMITS.ofBest && falsePauses <= LIMITS.falsePausesPerHundred;
  return areExpected && isKept ? 0 : 1;
}

/** As in docs/update-control.md. */
function blastRadiusTable(result: BlastRadius): string[] {
  const { ours, others, falsePauses, goodReleases } = result;
  const records = [ours, ...others];
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const releases = Object.keys(ours.harmed);
  return [
    row(['bad release', ...records.map(({ policy }) => policy)]),
    row(['---', ...records.map(() => '---:')]),
    ...releases.map((name) =>
      row([name, ...records.map(({ harmed }) => inPercent(harmed[name] ?? 0))]),
    ),
    row(['**mean**', ...records.map(({ mean }) => `**${inPercent(mean)}**`)]),
    '',
    `everybody admitted after ${ours.hours} h; ours ÷ best of the others: ${ratioToBest(result).toFixed(3)}`,
    `good releases: ${goodReleases}, false pauses: ${falsePauses.length}`,
    ...falsePauses,
  ];
}
