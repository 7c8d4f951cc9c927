import type { Command } from 'commander';
import type { Io } from '../io.js';
import { print, table } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';

const LIST = graphql`
  query ($brand: ID!, $first: Int!) {
    rollouts(brand: $brand, first: $first) {
      edges {
        node {
          id
          title
          state
          createdAt
          snap {
            name
          }
          fleet {
            name
          }
        }
      }
    }
  }
`;

interface Listed {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly createdAt: string;
  readonly snap: { readonly name: string } | null;
  readonly fleet: { readonly name: string };
}

export const listCommand = (io: Io): Command =>
  brandCommand('list')
    .description('the newest rollouts')
    .option('--first <n>', 'so many', '20')
    .action((options: BrandOptions & { readonly first: string }) => list(io, options));

async function list(io: Io, options: BrandOptions & { readonly first: string }): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const variables = { brand: brandId, first: Number(options.first) };
  const answer = await store.query<{ rollouts: { edges: { node: Listed }[] } }>(LIST, variables);
  const rollouts = answer.rollouts.edges.map(({ node }) => node);
  const rows = rollouts.map(({ id, title, state, createdAt, snap, fleet }) => [
    ...[title, state, snap?.name ?? '', fleet.name, createdAt, id],
  ]);
  print(io, options, rollouts, table(['title', 'state', 'snap', 'fleet', 'made', 'id'], rows));
}
