import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { connectToBrand, type BrandClient, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';
import { Refusal } from '../store/refusal.js';
import { Failure } from '../usage.js';
import { findRollout } from './find-rollout.js';
import { sizeText, targetText, waveName } from './plan-text.js';
import { progressOn } from './progress.js';
import { ENDED, ROLLOUT } from './rollout.js';
import { progressOf, type RolloutStatus } from './rollout-status.js';

const STATUS = graphql`
  query ($brand: ID!, $id: ID!) {
    rollout(brand: $brand, id: $id) { ${ROLLOUT} progress { no members admitted updated } }
  }`;

interface StatusOptions extends BrandOptions {
  readonly watch?: boolean;
  readonly interval: number;
}

export const statusCommand = (io: Io): Command =>
  brandCommand('status')
    .description('how far each wave has come; --watch until it ends')
    .argument('<rollout>', 'plan file, title or id')
    .option('--watch', 'a live bar for each wave; status 1 if it ends without completing')
    .option('--interval <seconds>', 'between two looks', seconds, 2)
    .action((wanted: string, options: StatusOptions) => status(io, wanted, options));

async function status(io: Io, wanted: string, options: StatusOptions): Promise<void> {
  const brand = await connectToBrand(io, options);
  const { id } = await findRollout(io, brand, wanted);
  if (options.watch) return watch(io, brand, id, options);
  const found = await look(brand, id);
  print(io, options, found, statusText(found));
}

async function look({ store, brandId }: BrandClient, id: string): Promise<RolloutStatus> {
  const { rollout } = await store.query<{ rollout: RolloutStatus | null }>(STATUS, {
    brand: brandId,
    id,
  });
  if (rollout === null) throw new Failure(`cannot find rollout ${id}`);
  return rollout;
}

/** A store that is being restarted comes back; one that stays away does not. */
const MISSED_LOOKS = 15;

async function watch(
  io: Io,
  brand: BrandClient,
  id: string,
  options: StatusOptions,
): Promise<void> {
  const progress = progressOn(io, options);
  try {
    for (let missed = 0; ; await sleep(options.interval * 1000)) {
      const seen = await look(brand, id).catch((error: unknown) => {
        missed += 1;
        if (error instanceof Refusal || !(error instanceof Failure) || missed > MISSED_LOOKS)
          throw error;
        return null;
      });
      if (seen === null) continue;
      missed = 0;
      progress.show(seen);
      if (!ENDED.has(seen.state)) continue;
      if (seen.state === 'COMPLETED') return;
      throw new Failure(`"${seen.title}" ended: it is ${seen.state}`);
    }
  } finally {
    progress.end();
  }
}

function statusText(rollout: RolloutStatus): string {
  const last = rollout.transitions.at(-1);
  const head = facts({
    title: rollout.title,
    state: last ? `${rollout.state} since ${last.at} (${last.cause})` : rollout.state,
    target: targetText(rollout.plan, rollout.snap?.name),
    fleet: `${rollout.fleet.name}, ${rollout.fleet.population} devices now`,
    id: rollout.id,
  });
  const waves = table(
    ['wave', 'admits', 'state', 'devices', 'admitted', 'updated', 'opened'],
    rollout.waves.map((wave) => {
      const planned = rollout.plan.waves[wave.no - 1];
      const { members, admitted, updated } = progressOf(rollout, wave.no);
      const size = planned ? sizeText(planned) || 'its selector' : '';
      const name = waveName({ name: planned?.name ?? null }, wave.no);
      return [name, size, wave.state, members, admitted, updated, wave.openedAt];
    }),
  );
  return `${head}\n${waves}`;
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 3600) return value;
  throw new InvalidArgumentError('cannot look so often or so seldom: give seconds, 0.1 to 3600');
}
