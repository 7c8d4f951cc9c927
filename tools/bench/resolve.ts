import { parseArgs } from 'node:util';
import { bucket, compilePolicy, resolveAll } from '#libs/update-control';
import type {
  DeviceFacts,
  HoldRow,
  PinRow,
  PolicyRows,
  PolicySnapshot,
  RequestFacts,
  RolloutRow,
} from '#libs/update-control';

/**
 * Acceptance of the decision's cost (update-control.md 3.1): a poll of 20 snaps with 50 matching rules costs at most three times the
 * bare SHA-256 buckets of the same 20 snaps, and 10,000 rules that do not match change it by at most 10 %.
 */
const LIMITS = { matching: 3, growth: 1.1 } as const;

const SNAPS = 20;
const T = Date.UTC(2026, 10, 21, 10);
const UID = '9b2f0c52-8a0e-4f0e-9c0e-0d2b5c6a7f10';
const BRAND = 'acme';
const saltOf = (i: number) => i.toString(16).padStart(32, '0');
const snapId = (i: number) => `snap${i}`;
const laneId = (i: number) => `lane${i}`;

function rolloutRow(
  i: number,
  fleetId: string,
  lane: string,
  over: Partial<RolloutRow> = {},
): RolloutRow {
  return {
    id: `rollout${i}`,
    brandId: BRAND,
    name: `rollout ${i}`,
    state: 'ACTIVE',
    fleetId,
    salt: saltOf(i),
    target: { kind: 'revision', laneId: lane, revisions: { amd64: 8 } },
    waves: [{ no: 1, threshold: 2 ** 52, prevThreshold: 0, openedAt: T - 1, rampMs: 0 }],
    activeMs: 0,
    activeSince: T - 1,
    leaseUntil: null,
    ...over,
  };
}

/** 20 rollouts, 5 fleets, 10 floors, 5 fleet baselines, 9 holds that are over, 1 pin: fifty rules that concern the device. */
function matchingRows(): PolicyRows {
  const numbers = Array.from({ length: SNAPS }, (_, i) => i);
  return {
    brandId: BRAND,
    version: 1,
    snaps: numbers.map((i) => ({
      id: snapId(i),
      brandId: BRAND,
      storeId: 's',
      name: `snap-${i}`,
      type: 'app',
      isPrivate: false,
      isProtected: false,
      defaultTrack: 'latest',
    })),
    revisions: numbers.flatMap((i) =>
      [6, 7, 8].map((revision) => ({
        snapId: snapId(i),
        revision,
        architectures: ['amd64'],
        epoch: { read: [0], write: [0] },
        assumes: ['snapd2.61'],
        confinement: 'strict' as const,
        isYanked: false,
        sha3384: '',
      })),
    ),
    ...laneRows(numbers),
    stores: [{ id: 's', allowPublic: true }],
    fleets: Array.from({ length: 5 }, (_, i) => ({
      id: `fleet${i}`,
      brandId: BRAND,
      name: `fleet ${i}`,
      priority: i,
      predicate: { fact: 'tag:site', equals: 'plant' },
    })),
    rollouts: numbers.map((i) => rolloutRow(i, `fleet${i % 5}`, laneId(i))),
    floors: numbers
      .slice(0, 10)
      .map((i) => ({ id: `floor${i}`, brandId: BRAND, laneId: laneId(i), revision: 6 })),
    fleetBaselines: numbers.slice(0, 5).map((i) => ({
      brandId: BRAND,
      fleetId: 'fleet0',
      laneId: laneId(i),
      architecture: 'amd64',
      revision: 7,
      follow: 'later' as const,
    })),
    holds: Array.from({ length: 9 }, (_, i): HoldRow =>
      holdRow(i, { snapId: snapId(i), until: T }),
    ),
    pins: [pinRow(19, { snapId: snapId(19), deviceUid: UID })],
  };
}

function laneRows(numbers: readonly number[]): Pick<PolicyRows, 'lanes' | 'laneEvents'> {
  return {
    lanes: numbers.map((i) => ({
      id: laneId(i),
      brandId: BRAND,
      snapId: snapId(i),
      track: 'latest',
      risk: 'stable',
      branch: '',
      isProtected: true,
      expiresAt: null,
    })),
    laneEvents: numbers.flatMap((i) =>
      [6, 7, 8].map((revision, seq) => ({
        laneId: laneId(i),
        seq,
        kind: revision === 8 ? ('rollout' as const) : ('promote' as const),
        revision,
        architectures: ['amd64'],
        rank: seq + 1,
        at: 0,
      })),
    ),
  };
}

function holdRow(i: number, over: Partial<HoldRow>): HoldRow {
  return {
    id: `hold${i}`,
    brandId: BRAND,
    scope: 'brand',
    fleetId: null,
    deviceUid: null,
    snapId: null,
    from: 0,
    until: T,
    reason: 'bench',
    ...over,
  };
}

function pinRow(i: number, over: Partial<PinRow>): PinRow {
  return {
    id: `pin${i}`,
    brandId: BRAND,
    fleetId: null,
    deviceUid: null,
    snapId: 'none',
    architecture: null,
    revision: 7,
    allowDowngrade: false,
    reason: 'bench',
    ...over,
  };
}

/** Ten thousand rules of other devices, fleets and snaps: 2,000 fleets, 500 rollouts on the same lanes, 3,500 holds, 4,000 pins. */
function withStrangers(rows: PolicyRows): PolicyRows {
  const count = <T>(length: number, of: (i: number) => T) =>
    Array.from({ length }, (_, i) => of(i));
  return {
    ...rows,
    fleets: [
      ...(rows.fleets ?? []),
      ...count(2000, (i) => ({
        id: `other${i}`,
        brandId: BRAND,
        name: `other ${i}`,
        priority: 100 + i,
        predicate: { fact: 'tag:site', equals: `site${i}` },
      })),
    ],
    rollouts: [
      ...(rows.rollouts ?? []),
      ...count(500, (i) => rolloutRow(1000 + i, `other${i}`, laneId(i % SNAPS))),
    ],
    holds: [
      ...(rows.holds ?? []),
      ...count(3500, (i) =>
        holdRow(1000 + i, { scope: 'device', deviceUid: `device${i}`, snapId: snapId(i % SNAPS) }),
      ),
    ],
    pins: [
      ...(rows.pins ?? []),
      ...count(4000, (i) =>
        pinRow(1000 + i, { deviceUid: `device${i}`, snapId: snapId(i % SNAPS) }),
      ),
    ],
  };
}

const device: DeviceFacts = {
  uid: UID,
  brandId: BRAND,
  model: 'panel',
  serial: '1',
  storeId: 's',
  hasBrandSerial: true,
  architecture: 'amd64',
  timezone: 'UTC',
  tags: { site: 'plant' },
  snapdVersion: '2.63',
  memory: {},
};

function requests(): RequestFacts[] {
  const context = Object.fromEntries(
    Array.from({ length: SNAPS }, (_, i) => [snapId(i), { revision: 7 }]),
  );
  return Array.from({ length: SNAPS }, (_, i) => ({
    action: 'refresh',
    snapId: snapId(i),
    trackingChannel: 'latest/stable',
    installed: { revision: 7, epoch: { read: [0], write: [0] } },
    isScheduled: true,
    context,
  }));
}

/** Nanoseconds per call, the median of rounds; the three subjects take turns so that a busy machine hits them alike. */
function measure(subjects: readonly (() => unknown)[], rounds: number, calls: number): number[] {
  const times = subjects.map((): number[] => []);
  for (let round = 0; round < rounds + 3; round += 1) {
    subjects.forEach((subject, i) => {
      const start = process.hrtime.bigint();
      for (let call = 0; call < calls; call += 1) subject();
      // The first rounds only warm up the compiler.
      if (round >= 3) times[i]?.push(Number(process.hrtime.bigint() - start) / calls);
    });
  }
  return times.map((list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN);
}

/**
 * Prints the costs and their ratios; resolves to 0 when both limits hold, else 1. Options: `--rounds` (41), `--calls` per round (200),
 * `--json`.
 */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '41' },
      calls: { type: 'string', default: '200' },
      json: { type: 'boolean', default: false },
    },
  });
  const rows = matchingRows();
  const poll = requests();
  const decide = (policy: PolicySnapshot) => () => resolveAll(device, poll, policy, T);
  const bare = () => poll.map((_, i) => bucket(saltOf(i), UID));
  // As the nodes hold it: read back from JSON.
  const load = (policy: PolicySnapshot) => JSON.parse(JSON.stringify(policy)) as PolicySnapshot;
  const subjects = [
    bare,
    decide(load(compilePolicy(rows))),
    decide(load(compilePolicy(withStrangers(rows)))),
  ];
  const [bareNs = 0, matchingNs = 0, crowdedNs = 0] = measure(
    subjects,
    Number(values.rounds),
    Number(values.calls),
  );
  const result = {
    bareMicroseconds: bareNs / 1000,
    matchingMicroseconds: matchingNs / 1000,
    crowdedMicroseconds: crowdedNs / 1000,
    matchingRatio: matchingNs / bareNs,
    growthRatio: crowdedNs / matchingNs,
  };
  const isMet = result.matchingRatio <= LIMITS.matching && result.growthRatio <= LIMITS.growth;
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ ...result, limits: LIMITS, isMet })}\n`
      : describe(result, isMet),
  );
  return isMet ? 0 : 1;
}

function describe(result: Record<string, number>, isMet: boolean): string {
  const {
    bareMicroseconds: bare = 0,
    matchingMicroseconds: matching = 0,
    crowdedMicroseconds: crowded = 0,
    matchingRatio = 0,
    growthRatio = 0,
  } = result;
  return [
    `resolve: one poll of ${SNAPS} snaps`,
    `  bare SHA-256 buckets         ${bare.toFixed(1)} µs`,
    `  50 matching rules            ${matching.toFixed(1)} µs  = ${matchingRatio.toFixed(2)} × bare (limit ${LIMITS.matching})`,
    `  and 10,000 that do not match ${crowded.toFixed(1)} µs  = ${growthRatio.toFixed(2)} × (limit ${LIMITS.growth})`,
    isMet ? '  ok' : '  NOT MET',
    '',
  ].join('\n');
}
