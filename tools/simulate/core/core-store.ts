import {
  bucket,
  climb,
  compilePolicy,
  firstOffer,
  rememberStep,
  resolve,
  sightOf,
  type Evidence,
  type PolicySnapshot,
  type WavePlan,
} from '#libs/update-control';
import type { StoreAnswer, StoreCall } from '../model/virtual-device.js';
import { HOUR_MS } from '../model/traits.js';
import type { Verdict } from '../outcome.js';
import { saltOf } from '../seeded.js';
import { countDevices, isSilent, judgeCount, type Counting } from './judge.js';
import { KnownDevice } from './known-device.js';
import { CHANNEL, SNAP, TARGET, policyRows } from './policy-rows.js';
import { openWave, toWaveRow, type OpenedWave } from './waves.js';

export interface CoreStoreOptions {
  readonly seed: string;
  readonly startMs: number;
  readonly waves: readonly WavePlan[];
  readonly counting: Counting;
  readonly members: readonly { readonly uid: string; readonly architecture: string }[];
}

/** Who ticks does so every hour; the lease is as much longer as the store's is (update-control.md 2.4). */
const LEASE_MS = HOUR_MS + HOUR_MS / 4;
const ENDS_IN_SILENCE: ReadonlySet<string> = new Set([
  'OFFERED',
  'DOWNLOADING',
  'ATTEMPTED',
  'INSTALLED',
]);

/**
 * The pure core of a store in one process: `resolve` answers, the ladder takes in what devices do, the gates judge. What a real
 * store has besides (database, queue, wire) is left out, so that many rollouts can be tried.
 */
export class CoreStore {
  verdict: Verdict = { kind: 'running', wave: 1 };
  readonly opened: OpenedWave[] = [];
  private readonly devices: ReadonlyMap<string, KnownDevice>;
  private readonly salt: string;
  private leaseUntil: number;
  private activeMs = 0;
  private activeSince: number;
  private version = 0;
  private policy: PolicySnapshot;

  constructor(private readonly options: CoreStoreOptions) {
    this.salt = saltOf(options.seed, 'salt').toString('hex');
    this.devices = new Map(
      options.members.map(({ uid, architecture }) => [
        uid,
        new KnownDevice(uid, architecture, bucket(this.salt, uid)),
      ]),
    );
    this.activeSince = options.startMs;
    this.leaseUntil = options.startMs + LEASE_MS;
    this.policy = this.compile();
    this.open(options.startMs);
  }

  /** One call of a device, answered as the store would. */
  answer(uid: string, call: StoreCall): StoreAnswer {
    const device = this.devices.get(uid);
    if (device === undefined) return { isGiven: false };
    if (call.kind !== 'refresh') {
      const kind = call.kind === 'download' ? 'download' : 'attempt';
      if (call.revision === TARGET) this.observe(device, { kind }, call.at);
      return { isGiven: true };
    }
    const { at, revision, isScheduled, isHeld } = call;
    device.see(at, revision);
    if (device.place !== null) {
      const seen = { revision, isScheduled, isHeld, hasSwitched: false };
      this.observe(
        device,
        sightOf(TARGET, seen, (a, b) => a < b),
        at,
      );
    }
    const epoch = { read: [0], write: [0] };
    const decision = resolve(
      device.facts,
      {
        ...{ action: 'refresh', snapId: SNAP, instanceKey: SNAP, isScheduled },
        ...{ channel: CHANNEL, trackingChannel: CHANNEL, installed: { revision, epoch } },
        context: { [SNAP]: { revision, channel: CHANNEL } },
      },
      this.policy,
      at,
    );
    if (decision.outcome !== 'UPDATE') return { revision, isGiven: true };
    const isOffer = isScheduled && decision.reasons.some(({ code }) => code === 'ROLLOUT_ADMITTED');
    if (isOffer) this.observe(device, { kind: 'offered', isHeld }, at);
    return { revision: decision.revision, isGiven: true };
  }

  /** The worker's round: counts, judges, opens the next wave or closes this one, and extends the lease. */
  tick(at: number): void {
    if (this.verdict.kind !== 'running') return;
    const wave = this.opened.at(-1);
    if (wave === undefined) return;
    this.lookAround(at);
    this.extendLease(at);
    const active = this.activeMsAt(at) - wave.activeMsAtOpen;
    const time = {
      isPastSoak: active >= wave.rampMs + wave.plan.soakMs,
      isPastDeadline: at >= wave.openedAt + wave.rampMs + wave.plan.deadlineMs,
    };
    const result = this.judge(wave, at, time);
    const at0 = { wave: wave.no, gate: `health: ${result.cause}` };
    if (result.verdict === 'FAIL') this.close({ kind: 'paused', ...at0 });
    else if (result.verdict === 'PASS' && active >= wave.rampMs) this.pass(at);
    else if (result.verdict === 'INCONCLUSIVE') this.close({ kind: 'inconclusive', ...at0 });
  }

  /** Where the store believes a device to be; undefined: it was never offered the target. */
  readonly stepOf = (uid: string): string | undefined => this.devices.get(uid)?.place?.step;

  /** Devices by the step that the store believes them to be at; `not offered` for the others. */
  readonly belief = (): Readonly<Record<string, number>> => {
    const steps: Record<string, number> = {};
    for (const { place } of this.devices.values()) {
      const step = place?.step ?? 'not offered';
      steps[step] = (steps[step] ?? 0) + 1;
    }
    return steps;
  };

  /** Of the wave's own devices first, then of all that were admitted, where only failures count. */
  private judge(
    wave: OpenedWave,
    at: number,
    time: { readonly isPastSoak: boolean; readonly isPastDeadline: boolean },
  ): ReturnType<typeof judgeCount> {
    const { counting } = this.options;
    const own = wave.k - wave.kBefore;
    const { health } = wave.plan;
    const needed =
      own === 0 && wave.kBefore > 0 ? { ...health, minSample: 0, coveragePpm: 0 } : health;
    const count = (of: OpenedWave | null) =>
      countDevices(this.devices.values(), this.opened, of, at, counting);
    const ofWave = judgeCount(needed, count(wave), own, time);
    if (ofWave.verdict === 'FAIL') return ofWave;
    const ofAll = judgeCount(needed, count(null), wave.k, time);
    return ofAll.verdict === 'FAIL' ? { ...ofAll, cause: `${ofAll.cause} of all waves` } : ofWave;
  }

  private pass(at: number): void {
    if (this.opened.length === this.options.waves.length)
      this.close({ kind: 'completed', wave: this.opened.length });
    else this.open(at);
  }

  private open(at: number): void {
    const plan = this.options.waves[this.opened.length];
    if (plan === undefined) throw new Error('cannot open a wave that is not planned');
    const buckets = [...this.devices.values()].map((device) => device.bucket);
    this.opened.push(openWave(plan, this.opened, buckets, at, this.activeMsAt(at)));
    this.verdict = { kind: 'running', wave: this.opened.length };
    this.policy = this.compile();
  }

  private close(verdict: Verdict): void {
    this.verdict = verdict;
    this.policy = this.compile();
  }

  private extendLease(at: number): void {
    if (at > this.leaseUntil) {
      this.activeMs = this.activeMsAt(at);
      this.activeSince = at;
    }
    this.leaseUntil = at + LEASE_MS;
    const isRamping = (this.opened.at(-1)?.rampMs ?? 0) > 0;
    if (isRamping) this.policy = this.compile();
  }

  private activeMsAt(at: number): number {
    return this.activeMs + Math.max(0, Math.min(at, this.leaseUntil) - this.activeSince);
  }

  /** Who was silent for too long is dark. */
  private lookAround(at: number): void {
    for (const device of this.devices.values())
      if (device.place !== null && ENDS_IN_SILENCE.has(device.place.step) && isSilent(device, at))
        this.observe(device, { kind: 'silent' }, at);
  }

  private observe(device: KnownDevice, evidence: Evidence, at: number): void {
    const before = device.place;
    if (before === null && evidence.kind !== 'offered') return;
    const soakMs = this.opened.at(-1)?.plan.soakMs ?? 0;
    const after = climb(before ?? firstOffer(at), evidence, { at, soakMs });
    if (after === before) return;
    device.place = after;
    const memory = rememberStep(device.memory, TARGET, before, after);
    if (memory !== device.memory) device.remember(memory);
  }

  private compile(): PolicySnapshot {
    this.version += 1;
    const { kind } = this.verdict;
    const isClosed = kind === 'paused' || kind === 'inconclusive';
    const architectures = new Set(this.options.members.map(({ architecture }) => architecture));
    return compilePolicy(
      policyRows(this.version, [...architectures], {
        salt: this.salt,
        state: kind === 'completed' ? 'COMPLETING' : isClosed ? 'PAUSED' : 'ACTIVE',
        ...{ activeMs: this.activeMs, activeSince: isClosed ? null : this.activeSince },
        leaseUntil: kind === 'completed' ? null : this.leaseUntil,
        waves: this.opened.map(toWaveRow),
      }),
    );
  }
}
