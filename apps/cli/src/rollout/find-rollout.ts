import type { Io } from '../io.js';
import type { BrandClient } from '../session/connect.js';
import { graphql } from '../store/graphql.js';
import { Failure } from '../usage.js';
import { checkPlan } from './check-plan.js';
import { loadPlan } from './load-plan.js';
import { ROLLOUT, type RolloutView } from './rollout.js';

const FIND = graphql`
  query ($brand: ID!, $id: ID!) { rollout(brand: $brand, id: $id) { ${ROLLOUT} } }`;
const LIST = graphql`
  query ($brand: ID!) {
    rollouts(brand: $brand, first: 100) {
      edges {
        node {
          id
          title
          planHash
          state
        }
      }
    }
  }
`;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PLAN_FILE = /\.ya?ml$/i;

interface Listed {
  readonly id: string;
  readonly title: string;
  readonly planHash: string;
  readonly state: string;
}

/**
 * The rollout that somebody means: by id, by title (the newest), or by a plan file: then the newest whose plan is exactly that
 * of the file, as the store hashes it.
 */
export async function findRollout(
  io: Io,
  brand: BrandClient,
  wanted: string,
): Promise<RolloutView> {
  const id = UUID.test(wanted) ? wanted : (await findListed(io, brand, wanted)).id;
  const rollout = await readRollout(brand, id);
  if (rollout === null) throw new Failure(`cannot find rollout ${wanted}`);
  return rollout;
}

export async function readRollout(brand: BrandClient, id: string): Promise<RolloutView | null> {
  const { rollout } = await brand.store.query<{ rollout: RolloutView | null }>(FIND, {
    brand: brand.brandId,
    id,
  });
  return rollout;
}

/** Newest first. */
export async function listRollouts({ store, brandId }: BrandClient): Promise<readonly Listed[]> {
  const { rollouts } = await store.query<{ rollouts: { edges: { node: Listed }[] } }>(LIST, {
    brand: brandId,
  });
  return rollouts.edges.map(({ node }) => node);
}

async function findListed(io: Io, brand: BrandClient, wanted: string): Promise<Listed> {
  const rollouts = await listRollouts(brand);
  if (!PLAN_FILE.test(wanted)) {
    const found = rollouts.find(({ title }) => title === wanted);
    if (found === undefined) throw new Failure(`cannot find a rollout with the title "${wanted}"`);
    return found;
  }
  const { planHash } = await checkPlan(brand, await loadPlan(io, brand, wanted));
  const found = rollouts.find((rollout) => rollout.planHash === planHash);
  if (found === undefined)
    throw new Failure(
      `cannot find a rollout of this plan: none has the hash ${planHash} that ${wanted} has now`,
    );
  return found;
}
