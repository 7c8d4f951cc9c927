import type { Command } from 'commander';
import type { Io } from '../io.js';
import { print } from '../output.js';
import { connectToBrand, type BrandClient, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';
import { Failure } from '../usage.js';
import { check, checkPlan, type CheckedPlan } from './check-plan.js';
import { listRollouts, readRollout } from './find-rollout.js';
import { loadPlan, type LoadedPlan } from './load-plan.js';
import { planText } from './plan-text.js';
import { ENDED, ROLLOUT_RESULT, type RolloutView } from './rollout.js';

const CREATE = graphql`
  mutation ($brand: ID!, $input: RolloutInput!) {
    createRollout(brand: $brand, input: $input) { ${ROLLOUT_RESULT} }
  }`;
const EDIT = graphql`
  mutation ($brand: ID!, $id: ID!, $rev: Int!, $input: RolloutInput!) {
    editRollout(brand: $brand, id: $id, expectedRevision: $rev, input: $input) { ${ROLLOUT_RESULT} }
  }`;
const SUBMIT = graphql`
  mutation ($brand: ID!, $id: ID!, $rev: Int!) {
    submitRollout(brand: $brand, id: $id, expectedRevision: $rev) { ${ROLLOUT_RESULT} }
  }`;

interface SubmitOptions extends BrandOptions {
  readonly dryRun?: boolean;
  readonly edit?: string;
}

export const submitCommand = (io: Io): Command =>
  brandCommand('submit')
    .description(
      'ask for approval of a plan; a plan that is under way already is not submitted twice',
    )
    .argument('<plan>', 'plan file')
    .option(
      '--edit <rollout>',
      'id of a rollout that is not yet approved, and gets this plan; approvals are void',
    )
    .option('--dry-run', 'only check it')
    .action((file: string, options: SubmitOptions) =>
      options.dryRun ? check(io, file, options) : submit(io, file, options),
    );

async function submit(io: Io, file: string, options: SubmitOptions): Promise<void> {
  const brand = await connectToBrand(io, options);
  const plan = await loadPlan(io, brand, file);
  const { planHash } = await checkPlan(brand, plan);
  const draft =
    options.edit === undefined
      ? ((await underWay(brand, planHash)) ?? (await create(brand, plan)))
      : await edit(brand, plan, options.edit);
  const isNew = draft.state === 'DRAFT';
  const { brandId, store } = brand;
  const submitted = isNew
    ? await store.act<RolloutView>(SUBMIT, { brand: brandId, id: draft.id, rev: draft.rev })
    : draft;
  const said = isNew
    ? `submitted: it is ${submitted.state} now`
    : `this plan is under way already: it is ${submitted.state}`;
  const next =
    submitted.state === 'PENDING_APPROVAL'
      ? `\nSomebody else approves it: brandstore rollout approve ${file}`
      : '';
  print(io, options, submitted, `${planText(submitted)}\nid ${submitted.id}\n${said}${next}`);
}

/** The newest rollout of exactly this plan that has not ended: submitting twice is submitting once. */
async function underWay(
  brand: BrandClient,
  planHash: CheckedPlan['planHash'],
): Promise<RolloutView | null> {
  const found = (await listRollouts(brand)).find(
    (rollout) => rollout.planHash === planHash && !ENDED.has(rollout.state),
  );
  return found === undefined ? null : readRollout(brand, found.id);
}

const create = ({ store, brandId }: BrandClient, plan: LoadedPlan): Promise<RolloutView> =>
  plan.sent(() => store.act<RolloutView>(CREATE, { brand: brandId, input: plan.input }));

async function edit(brand: BrandClient, plan: LoadedPlan, id: string): Promise<RolloutView> {
  const { store, brandId } = brand;
  const there = await readRollout(brand, id);
  if (there === null) throw new Failure(`cannot find rollout ${id}`);
  const variables = { brand: brandId, id, rev: there.rev, input: plan.input };
  return plan.sent(() => store.act<RolloutView>(EDIT, variables));
}
