import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { Io } from '../io.js';
import { facts, print } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';
import type { StoreClient } from '../store/store-client.js';
import { Failure, UsageError } from '../usage.js';

const IMPORT = graphql`
  mutation ($brand: ID!, $input: ImportInput!) {
    importSnap(brand: $brand, input: $input) {
      __typename
      ... on ImportedSnap { snapId name revision version type rootId publisher channels isNew }
      ${REFUSALS}
    }
  }
`;
/** A kernel of some hundred megabytes is sent, copied, hashed and read. */
const LIMIT_MS = 30 * 60_000;

interface Imported {
  readonly name: string;
  readonly revision: number;
  readonly version: string;
  readonly type: string;
  readonly rootId: string;
  readonly publisher: string;
  readonly channels: readonly string[];
  readonly isNew: boolean;
}

type ImportOptions = BrandOptions & {
  readonly store?: string;
  readonly channel: readonly string[];
  readonly unreleased?: boolean;
};

const about = `
SNAP and ASSERT… are what "snap download" writes. The store checks the chain under a foreign root that it relays
("brandstore root trust"), keeps all of it byte for byte, and releases the revision as any other.`;

/** `brandstore import SNAP ASSERT…`: relays a snap of another root. */
export const importCommand = (io: Io): Command =>
  brandCommand('import')
    .description('relay a snap that another root vouches for')
    .argument('<snap>', 'the file')
    .argument('<assert...>', 'its assertions')
    .option(
      '--store <id>',
      "a store of the brand, for a snap that is new here (else the brand's first)",
    )
    .option('--channel <name...>', 'where it is released', ['latest/stable'])
    .option('--unreleased', 'release it nowhere yet')
    .addHelpText('after', about)
    .action((snap: string, files: string[], options: ImportOptions) =>
      importSnap(io, snap, files, options),
    );

async function importSnap(
  io: Io,
  file: string,
  assertFiles: readonly string[],
  options: ImportOptions,
): Promise<void> {
  const texts = await Promise.all(assertFiles.map((one) => io.read(one)));
  const { store, brandId } = await connectToBrand(io, options);
  const channels = options.unreleased ? [] : options.channel;
  const input = {
    uploadId: await send(store, file),
    assertions: texts.map((text) => `${text.toString('utf8').trimEnd()}\n`).join('\n'),
    channels,
    ...(options.store !== undefined && { store: options.store }),
  };
  const made = await store.act<Imported>(IMPORT, { brand: brandId, input }, LIMIT_MS);
  const said = facts({
    snap: `${made.name} ${made.version} (${made.type} of ${made.publisher})`,
    revision: made.revision,
    'vouched for by': made.rootId,
    'released to': made.channels.join(', ') || 'nothing yet',
    state: made.isNew ? 'imported' : 'was here already',
  });
  print(io, options, made, said);
}

/** Streams the file from disk as publishers do (publisher-api.md 3.3); returns its upload id. */
async function send(store: StoreClient, file: string): Promise<string> {
  const form = new FormData();
  try {
    form.append('binary', await openAsBlob(file), basename(file));
  } catch {
    throw new UsageError(`cannot read ${file}`);
  }
  const answer = await store.send('/unscanned-upload/', form, LIMIT_MS);
  const { upload_id: id } = (await answer.json()) as { upload_id?: unknown };
  if (typeof id === 'string') return id;
  throw new Failure(`cannot read the answer of ${store.url} to the upload`);
}
