import { Command } from 'commander';
import type { Io } from '../io.js';
import { print } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';
import { UsageError } from '../usage.js';

const CREATE = graphql`
  mutation ($brand: ID!, $input: PublisherCredentialsInput!) {
    createPublisherCredentials(brand: $brand, input: $input) {
      __typename ... on PublisherCredentials { id description expiresAt credentials } ${REFUSALS}
    }
  }`;

interface Created {
  readonly id: string;
  readonly description: string;
  readonly expiresAt: string;
  readonly credentials: string;
}

type CreateOptions = BrandOptions & {
  readonly days: string;
  readonly snap?: readonly string[];
  readonly channel?: readonly string[];
  readonly permission?: readonly string[];
};

/** `brandstore credentials create`: for machines that publish, with snapcraft or `brandstore publish`. */
export function credentialsCommand(io: Io): Command {
  const command = new Command('credentials').description('credentials with which CI publishes');
  command.addCommand(
    brandCommand('create')
      .description('prints what SNAPCRAFT_STORE_CREDENTIALS takes, once')
      .argument('<description>', 'what they are for')
      .requiredOption('--days <number>', 'for how long, 1 to 366')
      .option('--snap <name...>', 'only for these snaps')
      .option('--channel <pattern...>', 'only for these channels, such as edge or "2.0/*"')
      .option('--permission <name...>', 'else package_access, package_push, package_release')
      .action((description: string, options: CreateOptions) => create(io, description, options)),
  );
  return command;
}

async function create(io: Io, description: string, options: CreateOptions): Promise<void> {
  const days = Number(options.days);
  if (!Number.isInteger(days) || days < 1) throw new UsageError('--days must be 1 to 366');
  const { store, brandId } = await connectToBrand(io, options);
  const { snap, channel, permission } = options;
  const input = {
    ...{ description, days },
    ...(snap && { snaps: snap }),
    ...(channel && { channels: channel }),
    ...(permission && { permissions: permission }),
  };
  const made = await store.act<Created>(CREATE, { brand: brandId, input });
  // The secret alone goes to standard output, fit for a pipe into the settings of CI.
  io.err(`good until ${made.expiresAt}; they are shown only now`);
  print(io, options, made, made.credentials);
}
