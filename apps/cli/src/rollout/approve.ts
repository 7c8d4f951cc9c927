import type { Command } from 'commander';
import type { Io } from '../io.js';
import { print } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';
import { Failure, UsageError } from '../usage.js';
import { findRollout } from './find-rollout.js';
import { PREVIEW, previewText, type PreviewView } from '../preview/preview-text.js';
import { planText } from './plan-text.js';
import { ROLLOUT_RESULT, type RolloutView } from './rollout.js';

const APPROVE = graphql`
  mutation ($brand: ID!, $id: ID!, $rev: Int!, $planHash: String!, $previewHash: String, $reason: String) {
    approveRollout(brand: $brand, id: $id, expectedRevision: $rev, planHash: $planHash, previewHash: $previewHash, reason: $reason) { ${ROLLOUT_RESULT} }
  }`;
const SHOWN = graphql`
  query ($brand: ID!, $id: ID!) { rollout(brand: $brand, id: $id) { preview { ${PREVIEW} } } }`;

interface ApproveOptions extends BrandOptions {
  readonly planHash?: string;
  readonly yes?: boolean;
  readonly reason?: string;
}

export const approveCommand = (io: Io): Command =>
  brandCommand('approve')
    .description('show the plan that waits and what it would do, and say yes to exactly that')
    .argument('<rollout>', 'plan file, title or id')
    .option('--plan-hash <hash>', 'say yes to the plan of this hash without being asked')
    .option('-y, --yes', 'say yes to the plan that is shown without being asked')
    .option('--reason <text>', 'for the audit log')
    .action((wanted: string, options: ApproveOptions) => approve(io, wanted, options));

async function approve(io: Io, wanted: string, options: ApproveOptions): Promise<void> {
  const brand = await connectToBrand(io, options);
  const shown = await findRollout(io, brand, wanted);
  const { rollout } = await brand.store.query<{ rollout: { preview: PreviewView | null } | null }>(
    SHOWN,
    { brand: brand.brandId, id: shown.id },
  );
  const preview = rollout?.preview ?? null;
  if (!options.json) io.out(`${planText(shown)}\n${preview ? `${previewText(preview)}\n` : ''}`);
  // After an automatic pause the plan is approved again, before it is resumed.
  if (shown.state !== 'PENDING_APPROVAL' && shown.pause?.isAutomatic !== true)
    throw new Failure(`cannot approve "${shown.title}": it is ${shown.state}`);
  await requireYes(io, shown, options);
  const approved = await brand.store.act<RolloutView>(APPROVE, {
    brand: brand.brandId,
    id: shown.id,
    rev: shown.rev,
    planHash: shown.planHash,
    // After an automatic pause what was shown at the submission is long done.
    previewHash: shown.state === 'PENDING_APPROVAL' ? (preview?.hash ?? null) : null,
    reason: options.reason,
  });
  const more = approved.state === 'PENDING_APPROVAL' ? '; it needs another approver' : '';
  print(io, options, approved, `approved: it is ${approved.state} now${more}`);
}

async function requireYes(
  io: Io,
  { planHash }: RolloutView,
  options: ApproveOptions,
): Promise<void> {
  if (options.planHash !== undefined) {
    if (options.planHash === planHash) return;
    throw new Failure(
      `cannot approve ${options.planHash}: the plan that waits has the hash ${planHash}`,
    );
  }
  if (options.yes) return;
  if (io.ask === null)
    throw new UsageError('cannot ask here: there is no terminal; give --plan-hash, or --yes');
  if (!(await io.ask.yes('Approve exactly this plan?'))) throw new Failure('not approved');
}
