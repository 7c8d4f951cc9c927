import { Command } from 'commander';
import { connect, type StoreOptions } from '../session/connect.js';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { storeCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';
import { signDraft } from './sign-draft.js';

const LIST = graphql`
  query {
    storeKeys {
      keyId
      state
      createdAt
    }
  }
`;
const PREPARE = graphql`
  mutation ($bits: Int) {
    prepareStoreKey(bits: $bits) {
      __typename
      ... on StoreKeyDraft {
        keyId
        draft
      }
      ${REFUSALS}
    }
  }
`;
const INSTALL = graphql`
  mutation ($assertion: String!) {
    installStoreKey(assertion: $assertion) {
      __typename
      ... on StoreKey {
        keyId
        state
      }
      ${REFUSALS}
    }
  }
`;

interface StoreKey {
  readonly keyId: string;
  readonly state: string;
  readonly createdAt: string;
}

const about = `
To change the key that signs declarations and revisions:
  brandstore store-key prepare > draft.json          the store makes a key; nothing signs with it yet
  brandstore store-key sign --root-key FILE draft.json > store-key.assert
                                                     where the root key is kept; needs no network
  brandstore store-key install store-key.assert      all processes sign with it from now on
What the former key signed stays valid.`;

/** `brandstore store-key …`: list, prepare, sign, install. */
export function storeKeyCommand(io: Io): Command {
  const command = new Command('store-key')
    .description('the key that signs declarations and revisions')
    .addHelpText('after', about);
  command.addCommand(
    storeCommand('list')
      .description('the keys, oldest first')
      .action((options: StoreOptions) => list(io, options)),
  );
  command.addCommand(
    storeCommand('prepare')
      .description('make the next key, and print what the root key has to sign')
      .option('--bits <n>', 'length of the key', Number)
      .action((options: StoreOptions & { bits?: number }) => prepare(io, options)),
  );
  command.addCommand(signDraft(io));
  command.addCommand(
    storeCommand('install')
      .description('take the account-key that the root key signed')
      .argument('<file>', 'the account-key; - is standard input')
      .action((file: string, options: StoreOptions) => install(io, file, options)),
  );
  return command;
}

async function list(io: Io, options: StoreOptions): Promise<void> {
  const store = await connect(io, options);
  const { storeKeys } = await store.query<{ storeKeys: StoreKey[] }>(LIST);
  const rows = storeKeys.map(({ keyId, state, createdAt }) => [state, createdAt, keyId]);
  print(io, options, storeKeys, table(['state', 'made', 'key id'], rows));
}

async function prepare(
  io: Io,
  { bits, ...options }: StoreOptions & { bits?: number },
): Promise<void> {
  const store = await connect(io, options);
  const { keyId, draft } = await store.act<{ keyId: string; draft: unknown }>(PREPARE, { bits });
  // Always JSON on standard output: it is what `sign` reads.
  io.out(`${JSON.stringify(draft, null, 2)}\n`);
  io.err(`made key ${keyId}; sign this draft with the root key: brandstore store-key sign`);
}

async function install(io: Io, file: string, options: StoreOptions): Promise<void> {
  const assertion = (await io.read(file)).toString('utf8');
  const store = await connect(io, options);
  const key = await store.act<StoreKey>(INSTALL, { assertion });
  print(io, options, key, facts({ key: key.keyId, state: key.state }));
}
