import { Command } from 'commander';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { connect, type StoreOptions } from '../session/connect.js';
import { storeCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';

const ROOT = `id username displayName keyIds since`;
const LIST = graphql`
  query {
    foreignRoots { ${ROOT} }
  }
`;
const TRUST = graphql`
  mutation ($assertions: String!, $reason: String!) {
    trustRoot(assertions: $assertions, reason: $reason) {
      __typename ... on ForeignRoot { ${ROOT} } ${REFUSALS}
    }
  }`;
const LEARN = graphql`
  mutation ($assertions: String!) {
    learnAccounts(assertions: $assertions) {
      __typename ... on ForeignRoot { ${ROOT} } ${REFUSALS}
    }
  }`;

interface Root {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly keyIds: readonly string[];
  readonly since: string;
}

const about = `
FILE is a stream of assertions. What a foreign root signs can be relayed with "brandstore import", byte for byte; it counts
for nothing of this store's own. docs/trust.md tells which devices take what.`;

/** `brandstore root …`: the foreign roots whose snaps are relayed. */
export function rootCommand(io: Io): Command {
  const command = new Command('root')
    .description('trust roots of others, whose snaps this store relays')
    .addHelpText('after', about);
  command.addCommand(
    storeCommand('list')
      .description('the foreign roots, oldest first')
      .action((options: StoreOptions) => list(io, options)),
  );
  command.addCommand(
    storeCommand('trust')
      .description('relay what this root signs')
      .argument('<file>', 'its account and account-keys; - is standard input')
      .requiredOption('--reason <text>', 'for the audit log')
      .action((file: string, options: StoreOptions & { reason: string }) =>
        trust(io, file, options),
      ),
  );
  command.addCommand(
    storeCommand('learn')
      .description('take accounts and account-keys that stand under a foreign root')
      .argument('<file>', 'the assertions; - is standard input')
      .action((file: string, options: StoreOptions) => learn(io, file, options)),
  );
  return command;
}

async function list(io: Io, options: StoreOptions): Promise<void> {
  const store = await connect(io, options);
  const { foreignRoots } = await store.query<{ foreignRoots: Root[] }>(LIST);
  const rows = foreignRoots.map((one) => [one.username, one.id, one.keyIds.join(' '), one.since]);
  print(io, options, foreignRoots, table(['account', 'id', 'keys', 'since'], rows));
}

async function trust(
  io: Io,
  file: string,
  { reason, ...options }: StoreOptions & { reason: string },
): Promise<void> {
  const assertions = (await io.read(file)).toString('utf8');
  const store = await connect(io, options);
  const root = await store.act<Root>(TRUST, { assertions, reason });
  print(io, options, root, summary(root));
}

async function learn(io: Io, file: string, options: StoreOptions): Promise<void> {
  const assertions = (await io.read(file)).toString('utf8');
  const store = await connect(io, options);
  const root = await store.act<Root>(LEARN, { assertions });
  print(io, options, root, summary(root));
}

const summary = ({ username, displayName, id, keyIds }: Root): string =>
  facts({ root: `${displayName} (${username})`, account: id, keys: keyIds.join(' ') });
