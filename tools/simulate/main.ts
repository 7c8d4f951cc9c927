import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { PlanFileError, problemLines } from '#libs/plan-file';
import { Progress } from './progress.js';
import { runCore } from './core/run-core.js';
import { outcomeRows, type Outcome } from './outcome.js';
import { rehearsedPlan, type RehearsedPlan } from './rehearsed-plan.js';
import { SCENARIOS, isExpected, verdictText, withWaves, type Scenario } from './scenarios.js';
import { onOwnGround } from './store/rehearsal-ground.js';
import { runStore } from './store/run-store.js';
import { Narrator, seconds } from '../demo/narrator.js';

const MOST_DEVICES = 100_000;
const USAGE = 2;

/** What is rehearsed. */
interface Order {
  readonly scenario: Scenario;
  readonly devices: number;
  readonly seed: string;
}

/**
 * `npm run simulate -- --devices N --scenario NAME [--plan FILE] [--seed S] [--core]`: a rollout over virtual devices, in compressed
 * time, on a store with services of its own; `--plan`: by the waves of a plan file; `--core`: on the decisions, the ladder and the gates
 * alone, in this process.
 * 0: it ended as the scenario says; 1: it did not; 2: wrong usage.
 */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      devices: { type: 'string', default: '1000' },
      scenario: { type: 'string' },
      seed: { type: 'string', default: '1' },
      plan: { type: 'string' },
      core: { type: 'boolean', default: false },
    },
  });
  const narrator = new Narrator();
  const found = SCENARIOS.find(({ name }) => name === values.scenario);
  const devices = Number(values.devices);
  const isCount = Number.isInteger(devices) && devices >= 1 && devices <= MOST_DEVICES;
  if (found === undefined || !isCount) {
    if (!isCount) narrator.say(`cannot simulate ${values.devices} devices: 1 to ${MOST_DEVICES}`);
    else narrator.say(`cannot simulate ${values.scenario ?? 'nothing'}; scenarios:`);
    for (const { name, about, expected } of isCount ? SCENARIOS : [])
      narrator.say(`  ${name.padEnd(17)} ${about} (${verdictText(expected)})`);
    return USAGE;
  }
  const own = values.plan === undefined ? null : await readPlan(values.plan, narrator);
  if (own === undefined) return USAGE;
  for (const part of own?.leftOut ?? []) narrator.say(`not rehearsed: ${part}`);
  const scenario = own === null ? found : withWaves(found, own.waves);
  narrator.say(`${scenario.name}: ${scenario.about}; ${devices} devices, seed ${values.seed}`);
  if (devices < scenario.leastDevices)
    narrator.say(`of fewer than ${scenario.leastDevices} devices its verdict says little`);
  const order = { scenario, devices, seed: values.seed };
  const { outcome, rows } = values.core ? onCore(order) : await onStore(order, narrator);
  narrator.table(
    [scenario.name, `after ${outcome.hours} h`],
    [
      ...outcomeRows(outcome),
      ...rows,
      ['verdict', verdictText(outcome.verdict)],
      ['expected', verdictText(scenario.expected)],
    ],
  );
  return isExpected(scenario.expected, outcome.verdict) ? 0 : 1;
}

/** Undefined when it cannot be rehearsed, which has been said then. */
async function readPlan(file: string, narrator: Narrator): Promise<RehearsedPlan | undefined> {
  try {
    return rehearsedPlan(await readFile(file, 'utf8'));
  } catch (error) {
    const problems = error instanceof PlanFileError ? error.problems : [];
    for (const line of problemLines(file, problems)) narrator.say(line);
    if (problems.length === 0) narrator.say(`cannot use ${file}: ${messageOf(error)}`);
    return undefined;
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

interface Told {
  readonly outcome: Outcome;
  readonly rows: string[][];
}

function onCore({ scenario, ...order }: Order): Told {
  const { shape, release, outages, workerDiesAfter, waves } = scenario;
  const progress = new Progress(process.stderr);
  const outcome = runCore({
    ...{ ...order, shape, release, outages, workerDiesAfter, waves },
    onProgress: (hours, store) => {
      if (progress.isDue(hours)) progress.show(hours, store.verdict.wave, store.belief());
    },
  });
  progress.end();
  return { outcome, rows: [] };
}

async function onStore(order: Order, narrator: Narrator): Promise<Told> {
  const progress = new Progress(process.stderr);
  const begun = performance.now();
  const runs = await onOwnGround(
    (line) => narrator.say(line),
    (ground) =>
      runStore(ground, [order], {
        onProgress: async (rehearsal, hours) => {
          if (!progress.isDue(hours)) return;
          const { wave } = await rehearsal.verdict();
          const pace = (rehearsal.polls * 1_000) / (performance.now() - begun);
          const more = `; ${rehearsal.polls} polls, ${Math.round(pace)} a second`;
          progress.show(hours, wave, await rehearsal.belief(), more);
        },
      }),
  );
  progress.end();
  const [run] = runs;
  if (run === undefined) throw new Error('cannot tell what became of nothing');
  const pace = `${Math.round(run.requests / run.seconds)} a second`;
  const rows = [
    ['polls', `${run.polls}; ${run.requests} requests, ${pace}`],
    ['took', seconds(run.seconds * 1_000)],
  ];
  return { outcome: run.outcome, rows };
}
