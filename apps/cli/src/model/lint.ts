import type { Command } from 'commander';
import { lintModel, type LintContext, type LintReport } from '#libs/model-lint';
import type { Io } from '../io.js';
import { print } from '../output.js';
import { connectToBrand, type BrandClient, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';
import { Failure } from '../usage.js';

const BRAND = graphql`
  query ($brand: ID!) {
    brand(brand: $brand) {
      stores {
        id
      }
    }
    accountKeys(brand: $brand) {
      keyId
      since
      until
      retiredAt
    }
  }
`;
const SNAPS = graphql`
  query ($brand: ID!, $store: ID!, $after: String) {
    storeSnaps(brand: $brand, store: $store, after: $after, first: 100) {
      edges {
        node {
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

interface Brand {
  readonly brand: { readonly stores: readonly { readonly id: string }[] } | null;
  readonly accountKeys: readonly {
    keyId: string;
    since: string;
    until: string | null;
    retiredAt: string | null;
  }[];
}
interface Snaps {
  readonly storeSnaps: {
    readonly edges: readonly { readonly node: { readonly name: string } }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

type LintOptions = BrandOptions & { readonly store?: boolean };

const about = `
FILE is the JSON before signing, or the signed assertion. With --store the store is asked, too: are the snaps there for devices
of the model's store, is the brand yours, is the key registered. Exit status 1 if anything would be refused.`;

export const lintCommand = (io: Io): Command =>
  brandCommand('lint')
    .description('what is wrong with a model, with line, cause and remedy')
    .argument('<file...>', 'drafts or assertions; - is standard input')
    .option('--store', 'ask the store as well')
    .addHelpText('after', about)
    .action((files: string[], options: LintOptions) => lint(io, files, options));

async function lint(io: Io, files: readonly string[], options: LintOptions): Promise<void> {
  const offline: LintContext = { now: io.now(), accountId: null, snapsOf: null, keys: null };
  const context = options.store ? await asked(io, await connectToBrand(io, options)) : offline;
  const reports: (LintReport & { file: string })[] = [];
  for (const file of files) {
    const text = (await io.read(file)).toString('utf8');
    reports.push({ file, ...lintModel(text, context) });
  }
  print(io, options, reports, reports.map(reportText).join('\n'));
  const refused = reports.filter(({ findings }) =>
    findings.some((one) => one.severity === 'error'),
  );
  if (refused.length > 0)
    throw new Failure(`cannot accept ${refused.map(({ file }) => file).join(', ')}`);
}

/** As compilers say it, so that editors find the place. */
function reportText({ file, model, kind, findings }: LintReport & { file: string }): string {
  const lines = findings.map(
    ({ line, column, severity, cause, remedy }) =>
      `${file}:${line}:${column}: ${severity}: ${cause}; ${remedy}`,
  );
  const isFine = findings.every(({ severity }) => severity === 'note');
  return [...lines, ...(isFine ? [`${file}: fine (${kind} of ${model ?? 'a model'})`] : [])].join(
    '\n',
  );
}

async function asked(io: Io, { store, brandId }: BrandClient): Promise<LintContext> {
  const { brand, accountKeys } = await store.query<Brand>(BRAND, { brand: brandId });
  const now = io.now();
  const seen = new Map<string, ReadonlySet<string>>();
  for (const { id } of brand?.stores ?? [])
    seen.set(
      id,
      await namesIn(async (after) =>
        store.query<Snaps>(SNAPS, { brand: brandId, store: id, after }),
      ),
    );
  const anywhere = new Set([...seen.values()].flatMap((names) => [...names]));
  return {
    now,
    accountId: brandId,
    // Without a store a model's devices see public snaps: those of all the brand's stores are the best guess that there is.
    snapsOf: (storeId) => (storeId === '' ? anywhere : (seen.get(storeId) ?? null)),
    keys: new Map(
      accountKeys
        .filter(
          ({ until, retiredAt }) => retiredAt === null && (until === null || new Date(until) > now),
        )
        .map(({ keyId, since }) => [keyId, new Date(since)]),
    ),
  };
}

async function namesIn(page: (after: string | null) => Promise<Snaps>): Promise<Set<string>> {
  const names = new Set<string>();
  for (let after: string | null = null, more = true; more;) {
    const { edges, pageInfo }: Snaps['storeSnaps'] = (await page(after)).storeSnaps;
    for (const { node } of edges) names.add(node.name);
    more = pageInfo.hasNextPage;
    after = pageInfo.endCursor;
  }
  return names;
}
