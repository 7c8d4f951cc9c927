import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Io } from '../io.js';
import { print, table } from '../output.js';
import { sizeOf } from '../size-of.js';
import { uploadBarOn } from '../upload-bar.js';
import { connectToInstallation, vaultCommandOf, type VaultOptions } from './connect.js';

/** What the vault answers (docs/former-vault.md). */
interface Report {
  readonly applied: boolean;
  readonly tables: readonly {
    readonly table: string;
    readonly read: number;
    readonly taken: number;
    readonly alreadyThere: number;
    readonly skipped: readonly { readonly reason: string; readonly rows: number }[];
  }[];
  readonly toDo: readonly string[];
}

type Options = VaultOptions & { readonly apply?: boolean };

/** Log rows of many years take their time. */
const IMPORT_MS = 6 * 3_600_000;

/** `brandstore vault import-dump`: the move from a former vault, first as a dry run. */
export const importDumpCommand = (io: Io): Command =>
  vaultCommandOf('import-dump')
    .description(
      'what a former vault knows: brands, models, API keys, log, remodels; all or nothing',
    )
    .argument('<file>', 'of pg_dump --format=plain --data-only; - is input')
    .option('--apply', 'do it; else only tell what would come over')
    .action((file: string, options: Options) => importDump(io, file, options));

async function importDump(io: Io, file: string, options: Options): Promise<void> {
  const vault = await connectToInstallation(io, options);
  const path = `/admin/v1/former-vault?apply=${String(options.apply === true)}`;
  const size = file === '-' ? null : await sizeOf(file);
  const dump = Readable.from(shown(io, file, size));
  const answer = await vault.exchangeText(path, dump, 'application/sql', IMPORT_MS);
  const report = JSON.parse(answer) as Report;
  print(io, options, report, textOf(report));
}

/** The bytes of a file, while a bar shows how many have gone; `size` null: of standard input nobody knows how many there are. */
async function* shown(io: Io, file: string, size: number | null): AsyncGenerator<Buffer> {
  const bar = uploadBarOn(io, basename(file));
  let gone = 0;
  try {
    for await (const chunk of io.stream(file) as AsyncIterable<Buffer>) {
      yield chunk;
      gone += chunk.length;
      if (size !== null) bar.show(gone, size);
    }
  } finally {
    bar.end();
  }
}

function textOf({ applied, tables, toDo }: Report): string {
  const rows = tables.map(({ table: name, read, taken, alreadyThere, skipped }) => [
    name,
    read,
    taken,
    alreadyThere,
    skipped.map(({ reason, rows: count }) => `${count}: ${reason}`).join('; '),
  ]);
  return [
    table(['table', 'read', 'taken', 'already there', 'skipped'], rows),
    ...toDo.map((one) => `to do: ${one}`),
    applied ? 'taken over' : 'nothing was changed: --apply does it',
  ].join('\n');
}
