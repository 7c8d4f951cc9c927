import { Command, Option } from 'commander';
import type { Io } from '../io.js';
import { print, table } from '../output.js';
import { findRollout } from '../rollout/find-rollout.js';
import { connectToBrand, type BrandClient, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { REFUSALS, graphql } from '../store/graphql.js';
import { Failure } from '../usage.js';

const STOP_FIELDS =
  '... on EmergencyStop { id scope level reason fleetId snapId revision rolloutId }';
const STOP = graphql`
  mutation ($brand: ID!, $input: StopInput!) {
    result: stop(brand: $brand, input: $input) { __typename ${STOP_FIELDS} ${REFUSALS} }
  }`;
const LIFT = graphql`
  mutation ($brand: ID!, $id: ID!, $reason: String!) {
    result: liftStop(brand: $brand, id: $id, reason: $reason) { __typename ${STOP_FIELDS} ${REFUSALS} }
  }`;
const LIST = graphql`
  query ($brand: ID!) {
    stops(brand: $brand) {
      id
      scope
      level
      reason
      fleetId
      snapId
      revision
      rolloutId
    }
  }
`;
const FLEETS = graphql`
  query ($brand: ID!) {
    fleets(brand: $brand) {
      id
      name
    }
  }
`;

interface Stop {
  readonly id: string;
  readonly scope: string;
  readonly level: number;
  readonly reason: string;
  readonly fleetId: string | null;
  readonly snapId: string | null;
  readonly revision: number | null;
  readonly rolloutId: string | null;
}

interface StopOptions extends BrandOptions {
  readonly level: string;
  readonly reason: string;
}

/** What each scope takes, and what it makes of it. */
interface Scope {
  readonly summary: string;
  readonly names: readonly string[];
  readonly input: (io: Io, brand: BrandClient, names: readonly string[]) => Promise<object>;
}

const SCOPES: Readonly<Record<string, Scope>> = {
  brand: {
    summary: 'everything, for all devices of the brand',
    names: [],
    input: () => Promise.resolve({}),
  },
  fleet: {
    summary: 'everything, for the devices of a fleet',
    names: ['fleet'],
    input: async (_io, brand, [name = '']) => ({ fleetId: await findFleet(brand, name) }),
  },
  snap: {
    summary: 'one snap',
    names: ['snap'],
    input: (_io, _brand, [snap]) => Promise.resolve({ snap }),
  },
  revision: {
    summary: 'one revision; new installations fall to the previous good one',
    names: ['snap', 'revision'],
    input: (_io, _brand, [snap, revision]) => Promise.resolve({ snap, revision: Number(revision) }),
  },
  rollout: {
    summary: 'one rollout, by plan file, title or id',
    names: ['rollout'],
    input: async (io, brand, [wanted = '']) => ({
      rolloutId: (await findRollout(io, brand, wanted)).id,
    }),
  },
};

const epilogue = `
Nobody needs approval to stop, and it is effective within five seconds. Levels: 1 no offers; 2 also no downloads; 3 also no
snap-revision assertion, so that changes under way fail before anything is touched ("it bricks" only).`;

/** `brandstore stop …`: the brake (update-control.md 2.8). */
export function stopCommand(io: Io): Command {
  const command = new Command('stop')
    .description('stop a brand, a fleet, a snap, a revision or a rollout, at once')
    .addHelpText('after', epilogue);
  for (const [scope, { summary, names }] of Object.entries(SCOPES)) {
    const child = brandCommand(scope).description(summary);
    for (const name of names) child.argument(`<${name}>`);
    command.addCommand(
      child
        .addOption(new Option('--level <level>', 'how much').choices(['1', '2', '3']).default('1'))
        .requiredOption(
          '--reason <text>',
          'why, for the audit log and for who reads it on a device',
        )
        .action((...args: unknown[]) => {
          // As commander calls it: the arguments, the options, the command.
          const options = args[names.length] as StopOptions;
          return stop(io, scope, args.slice(0, names.length).map(String), options);
        }),
    );
  }
  return command.addCommand(listCommand(io)).addCommand(liftCommand(io));
}

async function stop(
  io: Io,
  scope: string,
  names: readonly string[],
  options: StopOptions,
): Promise<void> {
  const brand = await connectToBrand(io, options);
  const named = await SCOPES[scope]?.input(io, brand, names);
  const { level, reason } = options;
  const input = { scope, level: Number(level), reason, ...named };
  const made = await brand.store.act<Stop>(STOP, { brand: brand.brandId, input });
  const what = [scope, ...names].join(' ');
  const next = `lift it: brandstore stop lift ${made.id} --reason …`;
  print(io, options, made, `stopped ${what} at level ${made.level}\nid ${made.id}\n${next}`);
}

const listCommand = (io: Io): Command =>
  brandCommand('list')
    .description('what is stopped')
    .action(async (options: BrandOptions) => {
      const { store, brandId } = await connectToBrand(io, options);
      const { stops } = await store.query<{ stops: readonly Stop[] }>(LIST, { brand: brandId });
      const rows = stops.map((one) => [
        one.id,
        one.scope,
        one.rolloutId ?? one.fleetId ?? one.snapId,
        one.revision,
        one.level,
        one.reason,
      ]);
      const text =
        rows.length === 0
          ? 'nothing is stopped'
          : table(['id', 'scope', 'what', 'revision', 'level', 'reason'], rows);
      print(io, options, stops, text);
    });

const liftCommand = (io: Io): Command =>
  brandCommand('lift')
    .description('lift a stop, as an approver who did not pull it')
    .argument('<stop>', 'its id')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .action(async (id: string, options: BrandOptions & { readonly reason: string }) => {
      const { store, brandId } = await connectToBrand(io, options);
      const { reason } = options;
      const lifted = await store.act<Stop>(LIFT, { brand: brandId, id, reason });
      print(io, options, lifted, `lifted the stop of ${lifted.scope}: "${lifted.reason}"`);
    });

async function findFleet({ store, brandId }: BrandClient, name: string): Promise<string> {
  const { fleets } = await store.query<{ fleets: readonly { id: string; name: string }[] }>(
    FLEETS,
    { brand: brandId },
  );
  const found = fleets.find((fleet) => fleet.name === name || fleet.id === name);
  if (found === undefined) throw new Failure(`cannot find fleet ${name}`);
  return found.id;
}
