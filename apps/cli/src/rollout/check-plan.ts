import { durationText } from '#libs/plan-file';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { connectToBrand, type BrandClient, type BrandOptions } from '../session/connect.js';
import { graphql } from '../store/graphql.js';
import { Failure } from '../usage.js';
import { loadPlan, type LoadedPlan } from './load-plan.js';
import { sizeText, targetText, waveName } from './plan-text.js';
import type { PlanView } from './rollout.js';

const CHECK = graphql`
  query ($brand: ID!, $input: RolloutInput!) {
    checkRollout(brand: $brand, input: $input) {
      problems {
        path
        message
      }
      plan
      planHash
      population
      architectures
      approvalsNeeded
      waves {
        no
        name
        k
        rampSeconds
      }
      windows {
        text
      }
    }
  }
`;

interface RolloutCheck {
  readonly problems: readonly { readonly path: string; readonly message: string }[];
  readonly plan: PlanView | null;
  readonly planHash: string | null;
  readonly population: number | null;
  readonly architectures: readonly string[];
  readonly approvalsNeeded: number | null;
  readonly waves: readonly {
    readonly no: number;
    readonly name: string | null;
    readonly k: number;
    readonly rampSeconds: number;
  }[];
  readonly windows: { readonly text: string } | null;
}

/** A plan that the store would take. */
export type CheckedPlan = RolloutCheck & { readonly plan: PlanView; readonly planHash: string };

/** What would become of the plan; throws its problems, with their places in the file. */
export async function checkPlan(
  { store, brandId }: BrandClient,
  { input, fail }: LoadedPlan,
): Promise<CheckedPlan> {
  const { checkRollout } = await store.query<{ checkRollout: RolloutCheck }>(CHECK, {
    brand: brandId,
    input,
  });
  const { problems, plan, planHash } = checkRollout;
  if (problems.length > 0) throw fail(problems);
  if (plan === null || planHash === null) throw new Failure('cannot read the answer: no plan');
  return { ...checkRollout, plan, planHash };
}

/** `rollout plan.yaml --dry-run`: nothing is written. */
export async function check(io: Io, file: string, options: BrandOptions): Promise<void> {
  const brand = await connectToBrand(io, options);
  const loaded = await loadPlan(io, brand, file);
  const checked = await checkPlan(brand, loaded);
  print(io, options, checked, checkedText(checked, loaded));
}

function checkedText(checked: CheckedPlan, { input }: LoadedPlan): string {
  const { plan, population, architectures, windows, approvalsNeeded } = checked;
  const head = facts({
    title: input.title,
    target: targetText(plan, input.snap),
    fleet: `${population} devices now (${architectures.join(', ')})`,
    offers: windows?.text ?? 'at any time',
  });
  const waves = table(
    ['wave', 'admits', 'devices', 'within', 'soak'],
    checked.waves.map(({ no, name, k, rampSeconds }) => {
      const planned = plan.waves[no - 1];
      return [
        waveName({ name }, no),
        planned ? sizeText(planned) || 'its selector' : '',
        k,
        rampSeconds === 0 ? 'at once' : durationText(rampSeconds),
        planned ? durationText(planned.soakMs / 1000) : '',
      ];
    }),
  );
  const end = facts({ 'plan hash': checked.planHash, approvals: approvalsNeeded });
  return `${head}\n${waves}\n${end}\nnothing was written; submit it: brandstore rollout submit`;
}
