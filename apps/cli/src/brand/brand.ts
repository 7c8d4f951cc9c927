import { Command, Option } from 'commander';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import {
  connect,
  connectToBrand,
  type BrandOptions,
  type StoreOptions,
} from '../session/connect.js';
import { brandCommand, storeCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';

const BRAND = `id username displayName validation revision stores { id name }`;
const SHOW = graphql`query ($brand: ID!) { brand(brand: $brand) { ${BRAND} } }`;
const CREATE = graphql`
  mutation ($input: BrandInput!) {
    createBrand(input: $input) { __typename ... on Brand { ${BRAND} } ${REFUSALS} }
  }`;
const UPDATE = graphql`
  mutation ($brand: ID!, $displayName: String, $validation: Validation, $reason: String) {
    updateBrand(brand: $brand, displayName: $displayName, validation: $validation, reason: $reason) {
      __typename ... on Brand { ${BRAND} } ${REFUSALS}
    }
  }`;

interface Brand {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly validation: string;
  readonly revision: number;
  readonly stores: readonly { readonly id: string; readonly name: string }[];
}

interface CreateOptions extends StoreOptions {
  readonly id?: string;
  readonly displayName: string;
  readonly validation: string;
  readonly store: string;
}

interface UpdateOptions extends BrandOptions {
  readonly displayName?: string;
  readonly validation?: string;
  readonly reason?: string;
}

const validation = (): Option =>
  new Option('--validation <word>', 'what the operator vouches for').choices([
    'unproven',
    'starred',
    'verified',
  ]);

/** `brandstore brand …`: accounts that publish and sign, and have stores. */
export function brandsCommand(io: Io): Command {
  const command = new Command('brand').description('brands and their account assertions');
  command.addCommand(
    storeCommand('create')
      .description('a brand with its first store; for the operator')
      .argument('<username>', '2 to 28 of a-z, 0-9 and -')
      .requiredOption('--display-name <name>', 'as people read it')
      .addOption(validation().default('unproven'))
      .option('--id <id>', 'account id of 32 letters and digits; else one is drawn')
      .option('--store <name>', 'name of the first store', 'main')
      .action((username: string, options: CreateOptions) => create(io, username, options)),
  );
  command.addCommand(
    brandCommand('show').action(async (options: BrandOptions) => {
      const { store, brandId } = await connectToBrand(io, options);
      const { brand } = await store.query<{ brand: Brand }>(SHOW, { brand: brandId });
      show(io, options, brand);
    }),
  );
  command.addCommand(
    brandCommand('update')
      .description('a new revision of the account assertion; for the operator')
      .option('--display-name <name>', 'as people read it')
      .addOption(validation())
      .option('--reason <text>', 'for the audit log')
      .action((options: UpdateOptions) => update(io, options)),
  );
  return command;
}

async function create(io: Io, username: string, options: CreateOptions): Promise<void> {
  const store = await connect(io, options);
  const { id, displayName, validation: vouched } = options;
  const firstStore = { name: options.store };
  const input = { id, username, displayName, validation: vouched, firstStore };
  show(io, options, await store.act<Brand>(CREATE, { input }));
}

async function update(io: Io, options: UpdateOptions): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const { displayName, validation: vouched, reason } = options;
  const change = { brand: brandId, displayName, validation: vouched, reason };
  show(io, options, await store.act<Brand>(UPDATE, change));
}

function show(io: Io, options: StoreOptions, brand: Brand): void {
  const { id, username, displayName, validation: vouched, revision, stores } = brand;
  const text = facts({
    brand: username,
    'account id': id,
    'display name': displayName,
    validation: vouched,
    revision,
  });
  const rows = stores.map((store) => [store.name, store.id]);
  print(io, options, brand, `${text}\n${table(['store', 'id'], rows)}`);
}
