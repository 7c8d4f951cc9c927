import {
  PlanFileError,
  problemLines,
  readPlanFile,
  toRolloutInput,
  type PlanFileProblem,
  type RolloutInput,
} from '#libs/plan-file';
import type { Io } from '../io.js';
import type { BrandClient } from '../session/connect.js';
import { graphql } from '../store/graphql.js';
import { Refusal } from '../store/refusal.js';
import { Failure } from '../usage.js';

const NAMES = graphql`
  query ($brand: ID!) {
    fleets(brand: $brand) {
      id
      name
    }
    rollouts(brand: $brand, first: 100) {
      edges {
        node {
          id
          title
        }
      }
    }
  }
`;

interface Names {
  readonly fleets: readonly { readonly id: string; readonly name: string }[];
  readonly rollouts: {
    readonly edges: readonly { readonly node: { readonly id: string; readonly title: string } }[];
  };
}

/** The plan has faults: each with the place in the file. */
export class PlanFailure extends Failure {
  constructor(
    readonly file: string,
    readonly problems: readonly PlanFileProblem[],
  ) {
    super(problemLines(file, problems).join('\n'));
  }
}

export interface LoadedPlan {
  readonly input: RolloutInput;
  /** A fault that the store found, as a failure with the place in the file. */
  readonly fail: (
    problems: readonly { readonly path: string; readonly message: string }[],
  ) => PlanFailure;
  /** Runs what sends the plan; faults that the store finds become failures with places. */
  readonly sent: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Reads a plan file and finds what its names mean in the brand. Throws a `PlanFailure`. */
export async function loadPlan(io: Io, brand: BrandClient, file: string): Promise<LoadedPlan> {
  const { plan, locate } = readLocally(file, (await io.read(file)).toString('utf8'));
  const fail: LoadedPlan['fail'] = (problems) => new PlanFailure(file, problems.map(locate));
  const { fleets, rollouts } = await brand.store.query<Names>(NAMES, { brand: brand.brandId });
  const fleet = fleets.find(({ name }) => name === plan.fleet);
  if (fleet === undefined)
    throw fail([{ path: 'fleet', message: `cannot find fleet ${plan.fleet}: ${known(fleets)}` }]);
  const meant = (path: 'supersedes' | 'inheritSaltFrom'): string | undefined => {
    const wanted = plan[path];
    const found = rollouts.edges
      .map(({ node }) => node)
      .find(({ id, title }) => wanted === id || wanted === title);
    if (wanted !== undefined && found === undefined)
      throw fail([{ path, message: `cannot find rollout ${wanted}` }]);
    return found?.id;
  };
  const input = toRolloutInput(plan, {
    fleetId: fleet.id,
    supersedes: meant('supersedes'),
    inheritSaltFrom: meant('inheritSaltFrom'),
  });
  const sent: LoadedPlan['sent'] = async (work) => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refusal && error.kind === 'Invalid' && error.problems.length > 0)
        throw fail(error.problems);
      // What the plan names is not there: the only other thing that it names.
      if (error instanceof Refusal && error.kind === 'NotFound')
        throw fail([{ path: 'snap', message: error.message }]);
      throw error;
    }
  };
  return { input, fail, sent };
}

function readLocally(file: string, text: string): ReturnType<typeof readPlanFile> {
  try {
    return readPlanFile(text);
  } catch (error) {
    if (error instanceof PlanFileError) throw new PlanFailure(file, error.problems);
    throw error;
  }
}

const known = (fleets: Names['fleets']): string =>
  fleets.length === 0 ? 'there is none' : `there are ${fleets.map(({ name }) => name).join(', ')}`;
