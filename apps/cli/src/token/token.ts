import { Command } from 'commander';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';
import { UsageError } from '../usage.js';

const TOKEN = `id prefix description ownerEmail roles stores fleets snaps networks createdAt expiresAt lastUsedAt`;
const LIST = graphql`query ($brand: ID!) { apiTokens(brand: $brand) { ${TOKEN} } }`;
const CREATE = graphql`
  mutation ($brand: ID!, $input: ApiTokenInput!) {
    createApiToken(brand: $brand, input: $input) {
      __typename ... on ApiToken { ${TOKEN} secret } ${REFUSALS}
    }
  }`;
const REVOKE = graphql`
  mutation ($brand: ID!, $id: ID!) {
    revokeApiToken(brand: $brand, id: $id) { __typename ... on ApiToken { ${TOKEN} } ${REFUSALS} }
  }`;

interface Token {
  readonly id: string;
  readonly prefix: string;
  readonly description: string;
  readonly ownerEmail: string;
  readonly roles: readonly string[];
  readonly stores: readonly string[] | null;
  readonly fleets: readonly string[] | null;
  readonly snaps: readonly string[] | null;
  readonly networks: readonly string[];
  readonly expiresAt: string;
  readonly lastUsedAt: string | null;
  readonly secret?: string | null;
}

interface CreateOptions extends BrandOptions {
  readonly role: readonly string[];
  readonly store?: readonly string[];
  readonly fleet?: readonly string[];
  readonly snap?: readonly string[];
  readonly network?: readonly string[];
  readonly days: string;
}

/** `brandstore token …`: for machines. */
export function tokenCommand(io: Io): Command {
  const command = new Command('token').description(
    'tokens for machines: some of your roles, for a time; they never approve',
  );
  command.addCommand(brandCommand('list').action((options: BrandOptions) => list(io, options)));
  command.addCommand(
    brandCommand('create')
      .description('the secret is shown once')
      .argument('<description>', 'what it is for')
      .requiredOption('--role <role...>', 'some of your own')
      .requiredOption('--days <number>', 'for how long, 1 to 366')
      .option('--store <name...>', 'only in these stores')
      .option('--fleet <name...>', 'only for these fleets')
      .option('--snap <name...>', 'only for these snaps')
      .option('--network <network...>', 'only from these, such as 10.0.0.0/8')
      .action((description: string, options: CreateOptions) => create(io, description, options)),
  );
  command.addCommand(
    brandCommand('revoke')
      .description('ends it at once')
      .argument('<id>')
      .action(async (id: string, options: BrandOptions) => {
        const { store, brandId } = await connectToBrand(io, options);
        const token = await store.act<Token>(REVOKE, { brand: brandId, id });
        print(io, options, token, `${token.prefix} (${token.description}) has ended`);
      }),
  );
  return command;
}

async function list(io: Io, options: BrandOptions): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const { apiTokens } = await store.query<{ apiTokens: Token[] }>(LIST, { brand: brandId });
  const rows = apiTokens.map((token) => [
    token.id,
    token.prefix,
    token.description,
    token.ownerEmail,
    reachText(token),
    token.expiresAt,
    token.lastUsedAt ?? 'never',
  ]);
  const head = ['id', 'prefix', 'for', 'owner', 'may', 'until', 'last used'];
  print(io, options, apiTokens, table(head, rows));
}

async function create(io: Io, description: string, options: CreateOptions): Promise<void> {
  const { role: roles, store: stores, fleet: fleets, snap: snaps, network: networks } = options;
  const expiresInDays = Number(options.days);
  if (!Number.isInteger(expiresInDays))
    throw new UsageError(`cannot read ${options.days} as a number of days`);
  const input = { description, roles, stores, fleets, snaps, networks, expiresInDays };
  const { store, brandId } = await connectToBrand(io, options);
  const token = await store.act<Token>(CREATE, { brand: brandId, input });
  const text = facts({
    token: token.secret,
    'shown once; may': reachText(token),
    until: token.expiresAt,
  });
  print(io, options, token, text);
}

function reachText({ roles, stores, fleets, snaps, networks }: Token): string {
  const limits = { stores, fleets, snaps, from: networks.length === 0 ? null : networks };
  const said = Object.entries(limits).flatMap(([kind, ids]) =>
    ids === null ? [] : [`${kind} ${ids.join(', ')}`],
  );
  return [roles.join(', '), ...said].join('; ');
}
