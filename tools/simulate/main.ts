import { parseArgs } from 'node:util';
import { Progress } from './progress.js';
import { runCore } from './core/run-core.js';
import { SCENARIOS, isExpected, outcomeRows, verdictText } from './scenarios.js';
import { Narrator } from '../demo/narrator.js';

const MOST_DEVICES = 100_000;
const USAGE = 2;

/**
 * `npm run simulate -- --devices N --scenario NAME [--seed S]`: a rollout of the default plan over virtual devices, in compressed time.
 * 0: it ended as the scenario says; 1: it did not; 2: wrong usage.
 */
export function main(args: string[]): number {
  const { values } = parseArgs({
    args,
    options: {
      devices: { type: 'string', default: '1000' },
      scenario: { type: 'string' },
      seed: { type: 'string', default: '1' },
    },
  });
  const narrator = new Narrator();
  const scenario = SCENARIOS.find(({ name }) => name === values.scenario);
  const devices = Number(values.devices);
  const isCount = Number.isInteger(devices) && devices >= 1 && devices <= MOST_DEVICES;
  if (scenario === undefined || !isCount) {
    if (!isCount) narrator.say(`cannot simulate ${values.devices} devices: 1 to ${MOST_DEVICES}`);
    else narrator.say(`cannot simulate ${values.scenario ?? 'nothing'}; scenarios:`);
    for (const { name, about, expected } of isCount ? SCENARIOS : [])
      narrator.say(`  ${name.padEnd(17)} ${about} (${verdictText(expected)})`);
    return USAGE;
  }
  narrator.say(`${scenario.name}: ${scenario.about}; ${devices} devices, seed ${values.seed}`);
  if (devices < scenario.leastDevices)
    narrator.say(`of fewer than ${scenario.leastDevices} devices its verdict says little`);
  const progress = new Progress(process.stderr);
  const { shape, release, outages, workerDiesAfter } = scenario;
  const outcome = runCore({
    ...{ seed: values.seed, devices, shape, release, outages, workerDiesAfter },
    waves: scenario.waves,
    onProgress: (hours, store) => progress.show(hours, store.verdict.wave, store.belief),
  });
  progress.end();
  narrator.table(
    [scenario.name, `after ${outcome.hours} h`],
    [
      ...outcomeRows(outcome),
      ['verdict', verdictText(outcome.verdict)],
      ['expected', verdictText(scenario.expected)],
    ],
  );
  return isExpected(scenario.expected, outcome.verdict) ? 0 : 1;
}
