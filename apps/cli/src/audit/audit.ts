import { Command, Option } from 'commander';
import type { Io } from '../io.js';
import { facts, print } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';
import { Failure } from '../usage.js';

const VERIFY = graphql`
  query ($brand: ID!) {
    verifyAuditLog(brand: $brand) {
      isIntact
      rows
      brokenSeq
      checkedAt
    }
  }
`;

/** A log of years takes its time. */
const EXPORT_LIMIT_MS = 3_600_000;

interface Verdict {
  readonly isIntact: boolean;
  readonly rows: number;
  readonly brokenSeq: number | null;
  readonly checkedAt: string | null;
}

interface ExportOptions extends BrandOptions {
  readonly format: string;
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly from?: string;
  readonly until?: string;
}

/** `brandstore audit …`: who did what, and that nobody has changed it since. */
export function auditCommand(io: Io): Command {
  const command = new Command('audit').description('the audit log of the brand');
  command.addCommand(
    brandCommand('verify')
      .description('walks the whole chain; exit status 1 when a row was changed, added or removed')
      .action((options: BrandOptions) => verify(io, options)),
  );
  command.addCommand(
    brandCommand('export')
      .description('writes the log to standard output, oldest first')
      .addOption(new Option('--format <format>').choices(['ndjson', 'csv']).default('ndjson'))
      .option('--actor <actor>', 'person:…, token:…, job:…, system, or a mail address')
      .option('--action <word>', 'such as approve-rollout')
      .option('--subject <subject>', 'such as rollout, or rollout:<id>')
      .option('--from <time>', 'such as 2026-01-31T08:00:00Z')
      .option('--until <time>', 'not included')
      .action((options: ExportOptions) => exportLog(io, options)),
  );
  return command;
}

async function verify(io: Io, options: BrandOptions): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const { verifyAuditLog: verdict } = await store.query<{ verifyAuditLog: Verdict }>(VERIFY, {
    brand: brandId,
  });
  const { isIntact, rows, brokenSeq, checkedAt } = verdict;
  print(
    io,
    options,
    verdict,
    facts({ intact: isIntact ? 'yes' : 'no', rows, 'last daily check': checkedAt }),
  );
  if (!isIntact)
    throw new Failure(`the audit log was changed: row ${brokenSeq} does not fit or is missing`);
}

async function exportLog(io: Io, options: ExportOptions): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const { format, actor, action, subject, from, until } = options;
  const said = Object.entries({ format, actor, action, subject, from, until });
  const query = new URLSearchParams(
    said.flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as [string, string]],
    ),
  );
  const path = `/api/v1/brands/${brandId}/audit-log?${query.toString()}`;
  const { body } = await store.get(path, EXPORT_LIMIT_MS);
  // Standard output takes what it is given, chunk by chunk.
  for await (const chunk of body ?? []) io.out(chunk as Uint8Array);
}
