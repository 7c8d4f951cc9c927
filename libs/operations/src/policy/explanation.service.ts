import {
  findDecisionAt,
  findPolicySnapshotAt,
  readOverlayAt,
  type RecordedRow,
} from '#libs/database';
import {
  compileOverlay,
  fleetsOf,
  passedByText,
  remediesOf,
  replay,
  rolloutsPassingBy,
  standingOf,
  type Decision,
  type DeviceFacts,
  type PolicySnapshot,
  type RequestFacts,
  type Resolver,
  type SnapPolicy,
  type Standing,
} from '#libs/update-control';
import type { DeviceDirectory, KnownDevice } from '../devices/device-directory.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { isUuid } from '../rollouts/find.js';
import type { DecisionBasis } from './decision-log.js';
import { decideOn } from './decision.service.js';
import { DeviceRequests } from './device-requests.js';
import type { PolicyStore } from './policy-store.js';
import { StoreViews } from './store-view.js';

/** What the device itself said last, and when. */
export interface Observation {
  readonly seenAt: Date;
  /** Null: it does not have the snap. */
  readonly revision: number | null;
  readonly channel: string | null;
  /** Who holds the snap back on the device; the store cannot lift that. */
  readonly heldBy: readonly string[];
}

/** Why a device has, gets or does not get a revision (update-control.md 2.10). */
export interface Explanation {
  readonly deviceUid: string;
  readonly snapId: string;
  readonly snapName: string;
  /** Null: the device has not reported the snap; then an installation is explained. */
  readonly installedRevision: number | null;
  /** Null: what was answered then cannot be decided again; `notReproducible` says why. */
  readonly decision: Decision | null;
  readonly notReproducible: string | null;
  /** What the device was told, as it was written then; null where nothing was, and for the present. */
  readonly recorded: Decision | null;
  /** When it was decided: for the present, now. Null: never. */
  readonly decidedAt: Date | null;
  readonly policyVersion: number | null;
  /** Fleets of the device, highest priority first. */
  readonly fleets: readonly { readonly id: string; readonly name: string }[];
  /** Where it stands in the rollout that concerns it. */
  readonly standing: Standing | null;
  /** Live rollouts of the snap that pass it by, each with its reason. */
  readonly passedBy: readonly string[];
  readonly remedies: readonly string[];
  readonly lastObservation: Observation | null;
}

interface Subject {
  readonly device: KnownDevice;
  readonly snap: SnapPolicy;
}

/** Answers people's questions about one device by the same `resolve()` that answers the device. */
export class ExplanationService {
  private readonly views: StoreViews;
  private readonly requests: DeviceRequests;

  constructor(
    private readonly resources: Pick<Resources, 'db' | 'settings'>,
    private readonly policies: PolicyStore,
    private readonly devices: DeviceDirectory,
    private readonly resolver: Resolver = { tzdb: process.versions['tz'] ?? '' },
  ) {
    this.views = new StoreViews(resources.db, policies, devices);
    this.requests = new DeviceRequests(resources);
  }

  /**
   * What a scheduled poll would be answered now; with `at`, what the device was told last at that moment. Throws `not-found`
   * for a device of another brand and for a snap that is not in the brand's policy, `invalid` for the future.
   */
  async explain(
    brandId: string,
    deviceUid: string,
    snapName: string,
    at: Date | null = null,
  ): Promise<Explanation> {
    const subject = await this.find(brandId, deviceUid, snapName);
    if (at === null) return this.explainNow(subject);
    const now = this.resources.db.clock.now();
    if (at > now)
      throw new OperationError('invalid', 'cannot explain the future: preview the rollout', {
        paths: ['at'],
      });
    return this.explainThen(subject, at);
  }

  private async find(brandId: string, deviceUid: string, snapName: string): Promise<Subject> {
    this.devices.forget(deviceUid);
    const device = isUuid(deviceUid) ? await this.devices.get(deviceUid) : null;
    if (device?.brandId !== brandId)
      throw new OperationError('not-found', 'cannot find the device');
    // What the device may not see has a reason too; what the brand does not see is not there.
    const snap = (await this.policies.getLatest(brandId)).byName.get(snapName);
    if (!snap) throw new OperationError('not-found', `cannot find snap ${snapName}`);
    return { device, snap };
  }

  private async explainNow({ device, snap }: Subject): Promise<Explanation> {
    const { home } = await this.views.openFor(device);
    if (home === null) throw new Error('internal error: a device has no policy');
    const { request } = await this.requests.ofDevice(device.reported, snap);
    const at = this.resources.db.clock.now();
    const policy = home.policy.snapshot;
    const basis = { device: home.facts, request, policy, t: at.getTime() };
    const told = { decision: decideOn(basis), notReproducible: null, recorded: null };
    return explained({ device, snap }, told, at, basis);
  }

  private async explainThen(subject: Subject, at: Date): Promise<Explanation> {
    const { device, snap } = subject;
    const row = await this.resources.db.asBrand(device.brandId, (tx) =>
      findDecisionAt(tx, device.uid, snap.snapId, at),
    );
    if (row === null) {
      const notReproducible = 'nothing that the device was told about the snap by then is recorded';
      return explained(subject, { decision: null, notReproducible, recorded: null }, null, null);
    }
    // Written by DecisionLog.
    const recorded = JSON.parse(row.decision) as Decision;
    const facts = row.facts as { device: DeviceFacts; context: RequestFacts['context'] } | null;
    if (facts === null) {
      const notReproducible = 'the facts of that moment are not kept any more';
      return explained(subject, { decision: null, notReproducible, recorded }, row.at, null);
    }
    const request = { ...(row.request as RequestFacts), context: facts.context };
    const policy = await this.policyOf(row);
    const basis = policy && { device: facts.device, request, policy, t: row.at.getTime() };
    const then = { ...row, device: facts.device, request, t: row.at.getTime() };
    const again = replay(then, policy, this.resolver);
    const told = again.isReproducible
      ? { decision: again.decision, notReproducible: null, recorded }
      : { decision: null, notReproducible: again.why, recorded };
    return { ...explained(subject, told, row.at, basis), policyVersion: row.policyVersion };
  }

  /** The policy under the overlay of then; null: not kept. */
  private policyOf(row: RecordedRow): Promise<PolicySnapshot | null> {
    const { brandId, policyVersion: version, policyHash: hash, overlayVersion } = row;
    return this.resources.db.asSystem(async (tx) => {
      // Written by CompilePolicyService.
      const stored = (await findPolicySnapshotAt(tx, {
        brandId,
        version,
        hash,
      })) as PolicySnapshot | null;
      if (stored === null) return null;
      const overlay = compileOverlay(await readOverlayAt(tx, brandId, overlayVersion));
      return { ...stored, overlay };
    });
  }
}

type Told = Pick<Explanation, 'decision' | 'notReproducible' | 'recorded'>;

function explained(
  { device, snap }: Subject,
  told: Told,
  decidedAt: Date | null,
  basis: DecisionBasis | null,
): Explanation {
  const { decision } = told;
  const fleets = basis ? fleetsOf(basis.device, basis.request.context, basis.policy.fleets) : [];
  const then = basis ? basis.policy.snaps[snap.snapId] : undefined;
  const passedBy =
    basis && then && decision
      ? rolloutsPassingBy(basis.policy, then, fleets, followed(decision, basis.request))
      : [];
  return {
    deviceUid: device.uid,
    snapId: snap.snapId,
    snapName: snap.name,
    installedRevision: basis?.request.installed?.revision ?? null,
    ...told,
    decidedAt,
    policyVersion: basis?.policy.version ?? null,
    fleets: fleets.map(({ fleetId, name }) => ({ id: fleetId, name })),
    standing: decision && standingOf(decision),
    passedBy: passedBy.map(passedByText),
    remedies: decision ? remediesOf(decision) : [],
    lastObservation: observationOf(device, snap),
  };
}

/** The channel that a decision was made on, which one without a candidate does not say. */
const followed = ({ channel }: Decision, request: RequestFacts): string | undefined =>
  channel ?? request.channel ?? request.trackingChannel ?? undefined;

function observationOf({ reported, seenAtMs }: KnownDevice, snap: SnapPolicy): Observation | null {
  if (reported === null) return null;
  const own = Object.values(reported.snaps).find(({ snapId }) => snapId === snap.snapId);
  return {
    seenAt: new Date(seenAtMs),
    revision: own?.revision ?? null,
    channel: own?.channel ?? null,
    heldBy: own?.heldBy ?? [],
  };
}
