import type { Command } from 'commander';
import type { Io } from '../io.js';
import { print } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';
import { findRollout } from './find-rollout.js';
import { ROLLOUT_RESULT, type RolloutView } from './rollout.js';

interface SteerOptions extends BrandOptions {
  readonly reason?: string;
}

interface Act {
  readonly summary: string;
  /** Said when it is done. */
  readonly done: string;
  readonly document: string;
}

const ACTS: Readonly<Record<string, Act>> = {
  pause: {
    summary: 'no further device is admitted; those on the target stay',
    done: 'paused',
    document: graphql`
      mutation ($brand: ID!, $id: ID!, $rev: Int!, $reason: String) {
        pauseRollout(brand: $brand, id: $id, expectedRevision: $rev, reason: $reason) { ${ROLLOUT_RESULT} }
      }`,
  },
  abort: {
    summary: 'end it for good: no new offers, nobody is moved back',
    done: 'aborted',
    document: graphql`
      mutation ($brand: ID!, $id: ID!, $rev: Int!, $reason: String) {
        abortRollout(brand: $brand, id: $id, expectedRevision: $rev, reason: $reason) { ${ROLLOUT_RESULT} }
      }`,
  },
  advance: {
    summary: 'say that the open wave is good, where the plan waits for a word',
    done: 'advanced',
    document: graphql`
      mutation ($brand: ID!, $id: ID!, $rev: Int!, $reason: String) {
        advanceRollout(brand: $brand, id: $id, expectedRevision: $rev, reason: $reason) { ${ROLLOUT_RESULT} }
      }`,
  },
  reject: {
    summary: 'say no to a plan that waits for approval',
    done: 'rejected',
    document: graphql`
      mutation ($brand: ID!, $id: ID!, $rev: Int!, $reason: String) {
        rejectRollout(brand: $brand, id: $id, expectedRevision: $rev, reason: $reason) { ${ROLLOUT_RESULT} }
      }`,
  },
};

/** The acts that need no more than a rollout and a reason. */
export const steerCommands = (io: Io): Command[] =>
  Object.entries(ACTS).map(([name, act]) =>
    brandCommand(name)
      .description(act.summary)
      .argument('<rollout>', 'plan file, title or id')
      .option('--reason <text>', 'why, for the audit log')
      .action((wanted: string, options: SteerOptions) => steer(io, act, wanted, options)),
  );

async function steer(
  io: Io,
  { document, done }: Act,
  wanted: string,
  options: SteerOptions,
): Promise<void> {
  const brand = await connectToBrand(io, options);
  const { id, rev } = await findRollout(io, brand, wanted);
  const variables = { brand: brand.brandId, id, rev, reason: options.reason };
  const rollout = await brand.store.act<RolloutView>(document, variables);
  print(io, options, rollout, `${done} "${rollout.title}": it is ${rollout.state} now`);
}
