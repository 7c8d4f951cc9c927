import type { Command } from 'commander';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';

const WHY = graphql`
  query ($brand: ID!, $snap: String!, $channel: String, $architecture: String) {
    diagnoseSnap(brand: $brand, snap: $snap, channel: $channel, architecture: $architecture) {
      snapName
      channel
      newestRevision
      installable {
        store
        architecture
        revision
      }
      obstacles {
        code
        where
        sentence
        remedy
        devices
      }
    }
  }
`;

interface Diagnosis {
  readonly snapName: string;
  readonly channel: string;
  readonly newestRevision: number | null;
  readonly installable: readonly {
    readonly store: string;
    readonly architecture: string;
    readonly revision: number;
  }[];
  readonly obstacles: readonly {
    readonly code: string;
    readonly where: string;
    readonly sentence: string;
    readonly remedy: string;
    readonly devices: number | null;
  }[];
}

interface WhyOptions extends BrandOptions {
  readonly channel?: string;
  readonly architecture?: string;
}

/** `brandstore why SNAP`: why nobody can install it, or who cannot (S18). */
export const whyCommand = (io: Io): Command =>
  brandCommand('why')
    .description('why nobody can install a snap, or who cannot')
    .argument('<snap>')
    .option('--channel <channel>', 'instead of stable of the default track')
    .option('--architecture <architecture>', 'instead of those of the brand’s devices')
    .action((snap: string, options: WhyOptions) => why(io, snap, options));

async function why(io: Io, snap: string, options: WhyOptions): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const { diagnoseSnap: found } = await store.query<{ diagnoseSnap: Diagnosis }>(WHY, {
    ...{ brand: brandId, snap },
    channel: options.channel ?? null,
    architecture: options.architecture ?? null,
  });
  print(io, options, found, whyText(found));
}

function whyText({ snapName, channel, newestRevision, installable, obstacles }: Diagnosis): string {
  const head = facts({ snap: snapName, channel, 'newest revision': newestRevision ?? 'none' });
  const got =
    installable.length === 0
      ? 'nobody can install it'
      : table(
          ['store', 'architecture', 'gets'],
          installable.map((one) => [one.store, one.architecture, one.revision]),
        );
  const lines = obstacles.map(({ code, where, sentence, remedy, devices }) => {
    const whom = [where, devices === null ? '' : `${devices} devices`].filter(Boolean).join(': ');
    return `- ${whom && `${whom}: `}${sentence}  [${code}]\n  → ${remedy}`;
  });
  return [head, got, lines.length === 0 ? 'nothing stands in the way' : lines.join('\n')].join(
    '\n',
  );
}
