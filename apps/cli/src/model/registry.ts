import type { Command } from 'commander';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';
import { Failure } from '../usage.js';

const MODEL = `model revision storeId architecture signKeyId isActive inactiveReason createdAt`;
const LIST = graphql`
  query ($brand: ID!, $model: String, $key: ID) {
    models(brand: $brand, model: $model, signKeyId: $key) { ${MODEL} assertion }
  }`;
const REGISTER = graphql`
  mutation ($brand: ID!, $assertion: String!) {
    registerModel(brand: $brand, assertion: $assertion) {
      __typename ... on Model { ${MODEL} } ${REFUSALS}
    }
  }`;
const SET_ACTIVE = graphql`
  mutation ($brand: ID!, $model: String!, $isActive: Boolean!, $reason: String!) {
    setModelActive(brand: $brand, model: $model, isActive: $isActive, reason: $reason) {
      __typename ... on Model { ${MODEL} } ${REFUSALS}
    }
  }`;
const CHECK = graphql`
  query ($brand: ID!, $assertion: String!) {
    checkModel(brand: $brand, assertion: $assertion) {
      state
      cause
      newestRevision
    }
  }
`;

interface Model {
  readonly model: string;
  readonly revision: number;
  readonly storeId: string | null;
  readonly architecture: string | null;
  readonly signKeyId: string;
  readonly isActive: boolean;
  readonly inactiveReason: string | null;
  readonly createdAt: string;
  readonly assertion?: string;
}

interface Standing {
  readonly state: string;
  readonly cause: string | null;
  readonly newestRevision: number | null;
}

type ListOptions = BrandOptions & { readonly model?: string; readonly key?: string };
type ReasonOptions = BrandOptions & { readonly reason: string };

/** What the commands of one model need. */
const commandOfModel = (name: string): Command => brandCommand(name).argument('<model>');
const switchCommand = (name: string): Command =>
  commandOfModel(name).requiredOption('--reason <text>', 'for the audit log and whoever asks why');

/** `brandstore model list|show|check|register|deactivate|activate`: the store's registry of models. */
export const registryCommands = (io: Io): readonly Command[] => [
  brandCommand('list')
    .description('all revisions, and which key signed them')
    .option('--model <name>', 'of this model')
    .option('--key <id>', 'signed by this key')
    .action((options: ListOptions) => list(io, options)),
  commandOfModel('show')
    .description('the newest revision, and how it stands')
    .action((model: string, options: BrandOptions) => show(io, model, options)),
  brandCommand('check')
    .description('whether devices and images may go by a signed model, and if not, why')
    .argument('<file>', 'the model assertion; - is standard input')
    .action((file: string, options: BrandOptions) => check(io, file, options)),
  brandCommand('register')
    .description('take a signed model, or its next revision')
    .argument('<file>', 'the model assertion; - is standard input')
    .action((file: string, options: BrandOptions) => register(io, file, options)),
  switchCommand('deactivate')
    .description('no new sessions and no serials for its devices')
    .action((model: string, options: ReasonOptions) => setActive(io, model, false, options)),
  switchCommand('activate')
    .description('take a deactivation back')
    .action((model: string, options: ReasonOptions) => setActive(io, model, true, options)),
];

async function list(io: Io, { model, key, ...options }: ListOptions): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const { models } = await store.query<{ models: Model[] }>(LIST, { brand: brandId, model, key });
  const rows = models.map((one) => [
    one.model,
    one.revision,
    one.architecture,
    one.isActive ? 'active' : 'deactivated',
    one.signKeyId,
  ]);
  print(io, options, models, table(['model', 'revision', 'for', 'state', 'signed by'], rows));
}

async function show(io: Io, model: string, options: BrandOptions): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const { models } = await store.query<{ models: Model[] }>(LIST, { brand: brandId, model });
  const newest = models.at(-1);
  if (newest === undefined) throw new Failure(`cannot find model ${model}`);
  print(io, options, newest, `${summary(newest)}\n\n${(newest.assertion ?? '').trimEnd()}`);
}

async function check(io: Io, file: string, options: BrandOptions): Promise<void> {
  const assertion = (await io.read(file)).toString('utf8');
  const { store, brandId } = await connectToBrand(io, options);
  const variables = { brand: brandId, assertion };
  const { checkModel: found } = await store.query<{ checkModel: Standing }>(CHECK, variables);
  print(io, options, found, facts({ state: found.state, cause: found.cause }));
  if (!['registered', 'outdated'].includes(found.state))
    throw new Failure(`cannot go by ${file}: ${found.cause ?? found.state}`);
}

async function register(io: Io, file: string, options: BrandOptions): Promise<void> {
  const assertion = (await io.read(file)).toString('utf8');
  const { store, brandId } = await connectToBrand(io, options);
  const made = await store.act<Model>(REGISTER, { brand: brandId, assertion });
  print(io, options, made, summary(made));
}

async function setActive(
  io: Io,
  model: string,
  isActive: boolean,
  { reason, ...options }: ReasonOptions,
): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const variables = { brand: brandId, model, isActive, reason };
  const changed = await store.act<Model>(SET_ACTIVE, variables);
  print(io, options, changed, summary(changed));
}

const summary = (one: Model): string =>
  facts({
    model: one.model,
    revision: one.revision,
    store: one.storeId,
    'signed by': one.signKeyId,
    state: one.isActive ? 'active' : `deactivated: ${one.inactiveReason ?? ''}`,
    registered: one.createdAt,
  });
