import type { Command } from 'commander';
import type { Io } from '../io.js';
import { print, table } from '../output.js';
import { connect, meantUrl, type StoreOptions } from '../session/connect.js';
import { storeCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';
import { StoreClient } from '../store/store-client.js';
import { UsageError } from '../usage.js';

const SIGN = graphql`
  mutation ($headers: JSON!) {
    signStandardModel(headers: $headers) {
      __typename ... on Model { model revision assertion } ${REFUSALS}
    }
  }`;
const PATH = '/api/v1/standard-models';

interface Listed {
  readonly model: string;
  readonly revision: number;
  readonly architecture: string | null;
  readonly base: string | null;
}

/** `brandstore model standard|download|sign-standard`: models of the operator, for images without a brand. */
export const standardModelCommands = (io: Io): readonly Command[] => [
  storeCommand('standard')
    .description("the operator's models, which belong to no brand; no login needed")
    .action((options: StoreOptions) => list(io, options)),
  storeCommand('download')
    .description('a standard model after the key that signed it; no login needed')
    .argument('<model>')
    .action((model: string, options: StoreOptions) => download(io, model, options)),
  storeCommand('sign-standard')
    .description('sign the next revision of a standard model; for the operator')
    .argument('<file>', 'JSON: model, architecture, gadget, kernel … without authority and brand')
    .action((file: string, options: StoreOptions) => sign(io, file, options)),
];

async function anonymous(io: Io, options: StoreOptions): Promise<StoreClient> {
  const url = await meantUrl(io, options.url);
  if (url === null)
    throw new UsageError('cannot tell which store is meant: set BRANDSTORE_URL or --url');
  return new StoreClient(url);
}

async function list(io: Io, options: StoreOptions): Promise<void> {
  const store = await anonymous(io, options);
  const { models } = (await (await store.get(PATH)).json()) as { models: Listed[] };
  const rows = models.map((one) => [one.model, one.revision, one.architecture, one.base]);
  print(io, options, models, table(['model', 'revision', 'for', 'base'], rows));
}

async function download(io: Io, model: string, options: StoreOptions): Promise<void> {
  const store = await anonymous(io, options);
  const answer = await store.get(`${PATH}/${encodeURIComponent(model)}`);
  io.out(await answer.text());
}

async function sign(io: Io, file: string, options: StoreOptions): Promise<void> {
  const headers = readHeaders(file, (await io.read(file)).toString('utf8'));
  const store = await connect(io, options);
  const made = await store.act<{ assertion: string }>(SIGN, { headers });
  print(io, options, made, made.assertion.trimEnd());
}

function readHeaders(file: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : ''}`);
  }
  throw new UsageError(`cannot read ${file}: it must be a JSON object of headers`);
}
