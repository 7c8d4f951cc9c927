import { Command } from 'commander';
import type { Io } from '../io.js';
import { print, table } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';
import { UsageError } from '../usage.js';
import { endsSoon } from './warning.js';

const SHOWN = 'id description ownerEmail permissions snaps channels createdAt expiresAt';
const LIST = graphql`query ($brand: ID!) { publisherCredentials(brand: $brand) { ${SHOWN} } }`;
const REVOKE = graphql`
  mutation ($brand: ID!, $id: ID!) {
    revokePublisherCredentials(brand: $brand, id: $id) {
      __typename ... on PublisherCredentials { ${SHOWN} } ${REFUSALS}
    }
  }`;
const CREATE = graphql`
  mutation ($brand: ID!, $input: PublisherCredentialsInput!) {
    createPublisherCredentials(brand: $brand, input: $input) {
      __typename ... on PublisherCredentials { id description expiresAt credentials } ${REFUSALS}
    }
  }`;

interface Shown {
  readonly id: string;
  readonly description: string;
  readonly ownerEmail: string;
  readonly permissions: readonly string[];
  readonly snaps: readonly string[] | null;
  readonly channels: readonly string[] | null;
  readonly expiresAt: string;
}

interface Created extends Pick<Shown, 'id' | 'description' | 'expiresAt'> {
  readonly credentials: string;
}

type CreateOptions = BrandOptions & {
  readonly days: string;
  readonly snap?: readonly string[];
  readonly channel?: readonly string[];
  readonly permission?: readonly string[];
};

/** `brandstore credentials create|list|revoke`: of people and machines that publish, with snapcraft or `brandstore publish`. */
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
  command.addCommand(
    brandCommand('list')
      .description('those that are still good, logins of snapcraft too')
      .action((options: BrandOptions) => list(io, options)),
  );
  command.addCommand(
    brandCommand('revoke')
      .description('ends them at once')
      .argument('<id>')
      .action(async (id: string, options: BrandOptions) => {
        const { store, brandId } = await connectToBrand(io, options);
        const ended = await store.act<Shown>(REVOKE, { brand: brandId, id });
        print(io, options, ended, `${ended.description} of ${ended.ownerEmail} has ended`);
      }),
  );
  return command;
}

async function list(io: Io, options: BrandOptions): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const data = await store.query<{ publisherCredentials: Shown[] }>(LIST, { brand: brandId });
  const rows = data.publisherCredentials.map((one) => [
    one.id,
    one.description,
    one.ownerEmail,
    one.snaps?.join(', ') ?? 'all',
    one.channels?.join(', ') ?? 'all',
    one.permissions.join(', '),
    untilText(io, one.expiresAt),
  ]);
  const head = ['id', 'for', 'owner', 'snaps', 'channels', 'may', 'until'];
  print(io, options, data.publisherCredentials, table(head, rows));
}

/** With a word of warning where the end is near. */
function untilText(io: Io, expiresAt: string): string {
  const soon = endsSoon(new Date(expiresAt), io.now());
  return soon === null ? expiresAt : `${expiresAt} (ends ${soon})`;
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
