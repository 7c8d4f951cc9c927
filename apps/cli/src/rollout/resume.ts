import type { Command } from 'commander';
import type { Io } from '../io.js';
import { print } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';
import { Failure, UsageError } from '../usage.js';
import { findRollout } from './find-rollout.js';
import { ROLLOUT_RESULT, type RolloutView } from './rollout.js';

const RESUME = graphql`
  mutation ($brand: ID!, $id: ID!, $rev: Int!, $reason: String, $acknowledges: String) {
    resumeRollout(
      brand: $brand, id: $id, expectedRevision: $rev, reason: $reason, acknowledges: $acknowledges
    ) { ${ROLLOUT_RESULT} }
  }`;

interface ResumeOptions extends BrandOptions {
  readonly reason?: string;
  readonly acknowledge?: string;
}

export const resumeCommand = (io: Io): Command =>
  brandCommand('resume')
    .description(
      'go on where it was paused; after an automatic pause once somebody else has approved again',
    )
    .argument('<rollout>', 'plan file, title or id')
    .option(
      '--acknowledge <hash>',
      'after an automatic pause: hash of the evidence that you have seen',
    )
    .option('--reason <text>', 'why, for the audit log')
    .action((wanted: string, options: ResumeOptions) => resume(io, wanted, options));

async function resume(io: Io, wanted: string, options: ResumeOptions): Promise<void> {
  const brand = await connectToBrand(io, options);
  const rollout = await findRollout(io, brand, wanted);
  const resumed = await brand.store.act<RolloutView>(RESUME, {
    brand: brand.brandId,
    id: rollout.id,
    rev: rollout.rev,
    reason: options.reason,
    acknowledges: await acknowledged(io, rollout, options.acknowledge),
  });
  print(io, options, resumed, `resumed "${resumed.title}": it is ${resumed.state} now`);
}

/** Shows the evidence of an automatic pause and asks, unless the person has named it. */
async function acknowledged(
  io: Io,
  { pause }: RolloutView,
  named: string | undefined,
): Promise<string | undefined> {
  if (pause?.isAutomatic !== true || named !== undefined) return named;
  io.err(`paused: ${pause.cause}\n${JSON.stringify(pause.evidence, null, 2)}`);
  if (io.ask === null)
    throw new UsageError(`cannot ask here: give --acknowledge ${pause.evidenceHash}`);
  if (!(await io.ask.yes('Have you seen this, and go on?'))) throw new Failure('not resumed');
  return pause.evidenceHash;
}
