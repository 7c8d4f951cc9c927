import { Command } from 'commander';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';
import { Failure } from '../usage.js';

const CHECK = graphql`
  query ($brand: ID!, $model: ID!, $extras: [String!], $channel: String) {
    checkImage(brand: $brand, model: $model, extras: $extras, channel: $channel) {
      model
      revision
      storeId
      architecture
      isComplete
      problems
      snaps {
        name
        as
        channel
        revision
        version
        publisher
        sizeBytes
        needsCredentials
        problems
      }
    }
  }
`;

interface Check {
  readonly model: string;
  readonly revision: number;
  readonly storeId: string | null;
  readonly architecture: string | null;
  readonly isComplete: boolean;
  readonly problems: readonly string[];
  readonly snaps: readonly {
    readonly name: string;
    readonly as: string;
    readonly channel: string | null;
    readonly revision: number | null;
    readonly version: string | null;
    readonly publisher: string | null;
    readonly sizeBytes: number | null;
    readonly needsCredentials: boolean;
    readonly problems: readonly string[];
  }[];
}

type CheckOptions = BrandOptions & {
  readonly snap?: readonly string[];
  readonly channel?: string;
};

const about = `
Asks the store for all that "snap prepare-image" and ubuntu-image would ask it for. Snaps that need credentials are given to
builders with a token of the store: "brandstore token create --role viewer --store ID", then
  UBUNTU_STORE_AUTH=$(printf '{"t":"bearer","v":"%s"}' TOKEN | base64 -w0)
docs/trust.md tells the rest of the environment.`;

/** `brandstore image check MODEL`: what an image would hold, and what is missing. */
export function imageCommand(io: Io): Command {
  const command = new Command('image').description('images of a model');
  command.addCommand(
    brandCommand('check')
      .description('what an image of a registered model would hold, and what is missing')
      .argument('<model>')
      .option('--snap <name...>', 'snaps beyond the model, each NAME or NAME=CHANNEL')
      .option('--channel <channel>', 'for snaps to which the model gives none')
      .addHelpText('after', about)
      .action((model: string, options: CheckOptions) => check(io, model, options)),
  );
  return command;
}

async function check(io: Io, model: string, options: CheckOptions): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const { checkImage: found } = await store.query<{ checkImage: Check }>(CHECK, {
    ...{ brand: brandId, model, extras: options.snap ?? [] },
    channel: options.channel ?? null,
  });
  print(io, options, found, textOf(found));
  if (!found.isComplete) throw new Failure(`cannot build an image of ${model}: see above`);
}

function textOf(found: Check): string {
  const { model, revision, storeId, architecture, snaps } = found;
  const rows = snaps.map((one) => [
    one.name,
    one.as,
    one.channel,
    one.revision ?? 'missing',
    one.version,
    one.publisher,
    one.needsCredentials ? 'credentials' : '',
  ]);
  const problems = [...found.problems, ...snaps.flatMap((one) => one.problems)];
  const megabytes = snaps.reduce((sum, one) => sum + (one.sizeBytes ?? 0), 0) / 1_000_000;
  return [
    facts({ model: `${model} ${revision}`, store: storeId ?? 'none', for: architecture }),
    table(['snap', 'as', 'channel', 'revision', 'version', 'publisher', 'needs'], rows),
    problems.length === 0
      ? `complete: ${snaps.length} snaps, ${megabytes.toFixed(1)} MB`
      : problems.map((text) => `- ${text}`).join('\n'),
  ].join('\n');
}
