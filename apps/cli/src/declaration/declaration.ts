import { Command } from 'commander';
import { parseDocument } from 'yaml';
import type { Io } from '../io.js';
import { facts, print } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';
import { accepted } from '../store/refusal.js';
import { Failure, UsageError } from '../usage.js';

const VIEW = `revision format headers assertion changes`;
const SHOW = graphql`
  query ($brand: ID!, $snap: String!) {
    snapDeclaration(brand: $brand, snap: $snap) { ${VIEW} }
  }
`;
const PREVIEW = graphql`
  query ($brand: ID!, $snap: String!, $input: DeclarationInput!) {
    previewSnapDeclaration(brand: $brand, snap: $snap, input: $input) {
      __typename
      ... on SnapDeclaration { ${VIEW} }
      ${REFUSALS}
    }
  }
`;
const EDIT = graphql`
  mutation ($brand: ID!, $snap: String!, $input: DeclarationInput!, $reason: String!, $expected: Int) {
    editSnapDeclaration(brand: $brand, snap: $snap, input: $input, reason: $reason, expectedRevision: $expected) {
      __typename
      ... on SnapDeclaration { ${VIEW} }
      ${REFUSALS}
    }
  }
`;

interface Declaration {
  readonly revision: number;
  readonly format: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly assertion: string | null;
  readonly changes: readonly string[];
}

/** Headers of the file, and the members of the store's input that take them. */
const PARTS: Readonly<Record<string, string>> = {
  plugs: 'plugs',
  slots: 'slots',
  aliases: 'aliases',
  'auto-aliases': 'autoAliases',
  'refresh-control': 'refreshControl',
  'revision-authority': 'revisionAuthority',
};

const about = `
FILE is YAML with any of ${Object.keys(PARTS).join(', ')}, as the assertion has them;
what it does not name stays as it is, and null takes a part away:

  plugs:
    camera:
      allow-auto-connection: true`;

/** `brandstore declaration …`: what a snap may do by itself on devices. */
export function declarationCommand(io: Io): Command {
  const command = new Command('declaration')
    .description('snap-declarations: auto-connection, aliases, who may sign')
    .addHelpText('after', about);
  command.addCommand(
    brandCommand('show')
      .description('the declaration as it is served')
      .argument('<snap>')
      .action((snap: string, options: BrandOptions) => show(io, snap, options)),
  );
  command.addCommand(
    brandCommand('diff')
      .description('what an edit would change, in words; nothing is signed')
      .argument('<snap>')
      .argument('<file>')
      .action((snap: string, file: string, options: BrandOptions) => diff(io, snap, file, options)),
  );
  command.addCommand(
    brandCommand('edit')
      .description('sign the next revision; devices get it at their next refresh')
      .argument('<snap>')
      .argument('<file>')
      .requiredOption('--reason <text>', 'for the audit log')
      .option('--yes', 'do not ask')
      .action((snap: string, file: string, options: EditOptions) => edit(io, snap, file, options)),
  );
  return command;
}

type EditOptions = BrandOptions & { readonly reason: string; readonly yes?: boolean };

async function show(io: Io, snap: string, options: BrandOptions): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const { snapDeclaration: found } = await store.query<{ snapDeclaration: Declaration | null }>(
    SHOW,
    {
      brand: brandId,
      snap,
    },
  );
  if (found === null)
    throw new Failure(`cannot show the declaration of ${snap}: no revision was accepted yet`);
  print(io, options, found, (found.assertion ?? '').trimEnd());
}

async function diff(io: Io, snap: string, file: string, options: BrandOptions): Promise<void> {
  const preview = await previewed(io, snap, file, options);
  print(io, options, preview, preview.changes.join('\n'));
}

/** Shows the change, asks, and signs exactly that: another's edit meanwhile is a conflict. */
async function edit(io: Io, snap: string, file: string, options: EditOptions): Promise<void> {
  const { store, brandId, input, revision, changes } = await previewed(io, snap, file, options);
  if (!options.yes && io.ask) {
    io.err(changes.join('\n'));
    if (!(await io.ask.yes(`Sign revision ${revision} of the declaration?`)))
      throw new Failure('nothing was signed');
  }
  const made = await store.act<Declaration>(EDIT, {
    brand: brandId,
    snap,
    input,
    reason: options.reason,
    expected: revision - 1,
  });
  const summary = facts({ revision: made.revision, format: made.format });
  print(io, options, made, [summary, ...made.changes].join('\n'));
}

async function previewed(
  io: Io,
  snap: string,
  file: string,
  options: BrandOptions,
): Promise<Declaration & Awaited<ReturnType<typeof connectToBrand>> & { input: object }> {
  const input = readInput(file, await io.read(file));
  const { store, brandId } = await connectToBrand(io, options);
  const { previewSnapDeclaration: result } = await store.query<{
    previewSnapDeclaration: Declaration;
  }>(PREVIEW, { brand: brandId, snap, input });
  return { ...accepted(result), store, brandId, input };
}

function readInput(file: string, content: Buffer): Record<string, unknown> {
  const document = parseDocument(content.toString('utf8'));
  const [error] = document.errors;
  if (error) throw new UsageError(`cannot read ${file}: ${error.message}`);
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`cannot read ${file}: it must name ${Object.keys(PARTS).join(', ')}`);
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined)
    throw new UsageError(
      `cannot take "${unknown}" of ${file}: only ${Object.keys(PARTS).join(', ')}`,
    );
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [PARTS[name] ?? name, part as unknown]),
  );
}
