import { DeviceRolloutState, Rollout, RolloutTransition, Wave } from '#libs/database';
import { inParallel } from '../../clients/in-parallel.js';
import { Calendar } from '../model/calendar.js';
import { makeFleet } from '../model/fleet.js';
import { HOUR_MS } from '../model/traits.js';
import { outcomeOf, type Counted, type Outcome, type Verdict } from '../outcome.js';
import type { Scenario } from '../scenarios.js';
import { saltOf } from '../seeded.js';
import { EmbodiedDevice } from './embodied-device.js';
import { enrol } from './enrol.js';
import type { RehearsalGround } from './rehearsal-ground.js';
import { toWaveInputs } from './wave-inputs.js';
import { until, type RolloutId } from './worker-rounds.js';

/** Fleet time that passes at once: longer than a count is good for, shorter than a lease (update-control.md 2.4). */
export const STEP_MS = 12 * 60_000;
/** Devices in the middle of a conversation. */
const AT_ONCE = 128;
const INSTALLED = 1;
const TARGET = 2;

export interface RehearsalOrder {
  readonly scenario: Scenario;
  readonly seed: string;
  readonly devices: number;
}

/** One scenario on a real store: a fleet of its own, its rollout, and devices that poll when their timers say so. */
export class Rehearsal {
  polls = 0;
  private isConcerned: (device: EmbodiedDevice) => boolean = () => true;
  private readonly calendar: Calendar<EmbodiedDevice>;
  private readonly rolloutId: RolloutId;

  private constructor(
    private readonly ground: RehearsalGround,
    readonly scenario: Scenario,
    private readonly devices: readonly EmbodiedDevice[],
    rolloutId: string,
    readonly startMs: number,
  ) {
    this.rolloutId = { brandId: ground.brandId, rolloutId };
    this.calendar = new Calendar(devices, STEP_MS);
  }

  /** The fleet; its rollout begins with `start`. `startMs`: when that will be. */
  static async prepare(
    ground: RehearsalGround,
    { scenario, seed, devices: count }: RehearsalOrder,
    startMs: number,
  ): Promise<{ probe: EmbodiedDevice; start: () => Promise<Rehearsal> }> {
    const { release, outages, shape, name: use } = scenario;
    const { brandId, storeId, snapId, wire, key } = ground;
    const around = { startMs, target: TARGET, release, outages };
    const minds = makeFleet(seed, count, shape, INSTALLED, around);
    const model = `acme-${use}`;
    const traits = new Map(minds.map((mind) => [mind.traits.uid, mind.traits]));
    await enrol(ground.db, { brandId, storeId, model, use }, [...traits.values()]);
    const habitat = { wire, key, brandId, storeId, snapId, model };
    const devices = minds.map((mind) => new EmbodiedDevice(mind, habitat));
    const [probe] = devices;
    if (probe === undefined) throw new Error('cannot rehearse without devices');
    const start = async (): Promise<Rehearsal> => {
      const rolloutId = await startRollout(ground, scenario, seed);
      return new Rehearsal(ground, scenario, devices, rolloutId, startMs);
    };
    return { probe, start };
  }

  /**
   * From now on only those poll that were offered the target: to the others nothing will be said any more. Those that have it and keep
   * it poll once more, and rest.
   */
  async end(): Promise<void> {
    const steps = await this.steps();
    const settled = new WeakSet<EmbodiedDevice>();
    this.isConcerned = (device) => {
      const { mind } = device;
      if (!steps.has(mind.traits.uid) || settled.has(device)) return false;
      if (mind.installed === TARGET && !mind.isDoomed) settled.add(device);
      return true;
    };
  }

  /** All who are due in the step that begins at `beginMs` poll, at the time that the store has now. */
  async pollDue(beginMs: number, now: Date): Promise<void> {
    const due = this.calendar.take(beginMs).filter(this.isConcerned);
    this.polls += due.length;
    await inParallel(due, AT_ONCE, async (device) => {
      await device.poll(now);
      this.calendar.add(device);
    });
  }

  /** The worker counts what is known as of `since`, and the gates have said what that means. */
  judge(since: Date): Promise<void> {
    return this.ground.rounds.judged(this.rolloutId, since);
  }

  /** As the store says. */
  async verdict(): Promise<Verdict> {
    const { rolloutId } = this.rolloutId;
    const { db } = this.ground;
    const { state } = await db.asSystem((tx) => tx.findOneByOrFail(Rollout, { id: rolloutId }));
    const waves = await this.waves();
    const wave = waves.length;
    if (state === 'COMPLETED') return { kind: 'completed', wave };
    if (state !== 'PAUSED') return { kind: 'running', wave };
    const [last] = await db.asSystem((tx) =>
      tx.find(RolloutTransition, { where: { rolloutId }, order: { seq: 'DESC' }, take: 1 }),
    );
    const kind = waves.at(-1)?.state === 'INCONCLUSIVE' ? 'inconclusive' : 'paused';
    return { kind, wave, gate: last?.cause.replace(/^wave \d+ [^:]*: /, '') ?? '' };
  }

  /** Devices by the step at which the store believes them to be. */
  async belief(): Promise<Counted> {
    const steps: Record<string, number> = {};
    for (const step of (await this.steps()).values()) steps[step] = (steps[step] ?? 0) + 1;
    return steps;
  }

  async outcome(endedAtMs: number): Promise<Outcome> {
    const steps = await this.steps();
    const waves = await this.waves();
    return outcomeOf(
      this.devices.map(({ mind }) => mind),
      (uid) => steps.get(uid),
      {
        verdict: await this.verdict(),
        hours: Math.round((endedAtMs - this.startMs) / HOUR_MS),
        openedAt: waves.map(({ openedAt }) =>
          Math.round(((openedAt?.getTime() ?? 0) - this.startMs) / HOUR_MS),
        ),
        endMs: this.ground.db.clock.now().getTime(),
      },
    );
  }

  private waves(): Promise<Wave[]> {
    const { rolloutId } = this.rolloutId;
    return this.ground.db.asSystem(async (tx) => {
      const all = await tx.find(Wave, { where: { rolloutId }, order: { no: 'ASC' } });
      return all.filter(({ openedAt }) => openedAt !== null);
    });
  }

  private async steps(): Promise<ReadonlyMap<string, string>> {
    const { rolloutId } = this.rolloutId;
    const select = { deviceUid: true, step: true } as const;
    const rows = await this.ground.db.asSystem((tx) =>
      tx.find(DeviceRolloutState, { where: { rolloutId }, select }),
    );
    return new Map(rows.map(({ deviceUid, step }) => [deviceUid, step]));
  }
}

/** Planned by one person and approved by another, as a brand does it; its first wave is open then. */
async function startRollout(
  ground: RehearsalGround,
  { name, waves }: Scenario,
  seed: string,
): Promise<string> {
  const { brandId, db } = ground;
  const planner = await ground.logIn('planner');
  const fleetId = await planner.createFleet(brandId, name, ground.nextPriority(), {
    fact: 'tag:use',
    equals: name,
  });
  const { id } = await planner.planRollout(brandId, {
    ...{ title: name, fleetId, snap: ground.snap, channel: 'stable', revision: TARGET },
    waves: toWaveInputs(waves),
  });
  // The store draws it by itself; here the seed says who comes first, as in a run on the core.
  await db.asSystem((tx) => tx.update(Rollout, { id }, { salt: saltOf(seed, 'salt') }));
  const planHash = await planner.submitRollout(brandId, id);
  const approver = await ground.logIn('approver');
  const objection = await approver.approveRollout(brandId, id, planHash);
  if (objection !== null) throw new Error(`cannot rehearse: ${objection}`);
  await until('the first wave to open', async () => {
    const { waves: now } = await planner.rollout(brandId, id);
    return now[0]?.state === 'OPEN';
  });
  return id;
}
