import { Rollout, RolloutPreview, type Tx } from '#libs/database';
import {
  FACT_AGES,
  PreviewTally,
  admissionCurve,
  contentHash,
  factAge,
  type FactAge,
  type PolicySnapshot,
  type PreviewOutcome,
  type PreviewSheet,
  type PreviewedDevice,
  type RolloutPreviewSheets,
  type Touching,
} from '#libs/update-control';
import type { Page } from '../../brands/reader.js';
import { DeviceRequests } from '../../policy/device-requests.js';
import type { Resources } from '../../resources.js';
import { bytesOf } from './preview-bytes.js';
import { previewDevice, type PreviewMoment } from './preview-device.js';
import { previewGround, type PreviewGround, type PreviewSubject } from './preview-ground.js';
import { previewMembers } from './preview-members.js';
import { notesOf } from './preview-notes.js';
import { Turns } from './turns.js';

export interface PreviewFilter {
  readonly outcome?: PreviewOutcome | undefined;
  /** Among all reasons, not only the decisive one. */
  readonly code?: string | undefined;
}

/** A preview as it was signed. */
export interface StoredPreview {
  readonly hash: string;
  readonly createdAt: Date;
  readonly preview: RolloutPreviewSheets;
}

/** Work that nobody can call off: of a submission, or of the worker's. */
const NEVER = new AbortController().signal;

type NewPreview = Pick<StoredPreview, 'hash' | 'preview'>;

/**
 * What a plan would do, device by device: the same `resolve()` over what is known of the devices, under the policy as it would
 * be (update-control.md 2.10). Nothing of it reaches a device.
 */
export class PreviewService {
  private readonly requests: DeviceRequests;
  private readonly turns = new Turns();

  constructor(private readonly resources: Pick<Resources, 'db' | 'settings'>) {
    this.requests = new DeviceRequests(resources);
  }

  /**
   * One sheet for each instant; without any, one of the end, windows and freezes aside. A brand's previews are made one after the
   * other, and each stops soon after `signal` says that nobody waits for it: then it throws the signal's reason.
   */
  async preview(
    brandId: string,
    subject: PreviewSubject,
    instants: readonly Date[] = [],
    signal = NEVER,
  ): Promise<RolloutPreviewSheets> {
    return this.turns.take(brandId, signal, () => this.make(brandId, subject, instants, signal));
  }

  private async make(
    brandId: string,
    subject: PreviewSubject,
    instants: readonly Date[],
    signal: AbortSignal,
  ): Promise<RolloutPreviewSheets> {
    const ground = await previewGround(this.resources.db, brandId, subject);
    const ages = new Map<FactAge, number>(FACT_AGES.map((age) => [age, 0]));
    const sheets: PreviewSheet[] = [];
    const moments: readonly (Date | null)[] = instants.length === 0 ? [null] : instants;
    for (const [no, at] of moments.entries())
      sheets.push(
        await this.sheet(ground, at, no === 0 ? ages : new Map<FactAge, number>(), signal),
      );
    const population = [...ages.values()].reduce((sum, devices) => sum + devices, 0);
    const factAges = [...ages].map(([age, devices]) => ({ age, devices }));
    return {
      planHash: ground.planHash,
      policyVersion: ground.policyVersion,
      population,
      ...timesOf(ground),
      ...{ sheets, factAges },
      notes: notesOf(ground.plan, { population, factAges, sheets }),
    };
  }

  /** The devices of one outcome, or with one reason among theirs, in the order of their uid. */
  async devices(
    brandId: string,
    subject: PreviewSubject,
    at: Date | null,
    { outcome, code }: PreviewFilter,
    { limit, after }: { readonly limit: number; readonly after: string | null },
    signal = NEVER,
  ): Promise<Page<PreviewedDevice>> {
    const { db } = this.resources;
    const ground = await previewGround(db, brandId, subject);
    const moment = momentOf(ground, at);
    const rows: PreviewedDevice[] = [];
    const members = previewMembers(db, ground, moment.policy, { after, signal });
    for await (const { device, facts } of members) {
      const one = await previewDevice(device, facts, moment, this.requests);
      const isMeant =
        (outcome === undefined || one.outcome === outcome) &&
        (code === undefined || one.codes.some((each) => each === code));
      if (isMeant) rows.push(one);
      if (rows.length > limit) break;
    }
    return { rows: rows.slice(0, limit), hasMore: rows.length > limit };
  }

  /** Of a draft, for its submission: what approvers will sign besides the plan. */
  async prepare(brandId: string, rolloutId: string): Promise<NewPreview> {
    const preview = await this.preview(brandId, { rolloutId });
    return { preview, hash: contentHash(preview) };
  }

  /** Sees to it that a rollout that waits for approval has its preview: also one that was sent back because its fleet grew. */
  async ensure(brandId: string, rolloutId: string): Promise<void> {
    const { db } = this.resources;
    const isMissing = await db.asBrand(brandId, async (tx) => {
      const row = await tx.findOneBy(Rollout, { id: rolloutId, brandId });
      return row?.state === 'PENDING_APPROVAL' && (await storedPreview(tx, row)) === null;
    });
    if (!isMissing) return;
    const made = await this.prepare(brandId, rolloutId);
    await db.asBrand(brandId, async (tx) => {
      const row = await tx.findOneBy(Rollout, { id: rolloutId, brandId });
      if (row?.state === 'PENDING_APPROVAL') await keepPreview(tx, row, made);
    });
  }

  /** The newest that was made for the rollout; null: it was never submitted. */
  stored(brandId: string, rolloutId: string): Promise<StoredPreview | null> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const row = await tx.findOne(RolloutPreview, {
        where: { rolloutId, brandId },
        order: { rev: 'DESC' },
      });
      return row && toStored(row);
    });
  }

  private async sheet(
    ground: PreviewGround,
    at: Date | null,
    ages: Map<FactAge, number>,
    signal: AbortSignal,
  ): Promise<PreviewSheet> {
    const { db } = this.resources;
    const now = db.clock.now().getTime();
    const moment = momentOf(ground, at);
    const others = otherRollouts(moment.policy, ground.rolloutId);
    const tally = new PreviewTally();
    const members = previewMembers(db, ground, moment.policy, { signal });
    for await (const { device, facts, fleetIds } of members) {
      const age = factAge(device.reported === null ? null : now - device.seenAtMs);
      ages.set(age, (ages.get(age) ?? 0) + 1);
      const touching = fleetIds.flatMap((id) => others.get(id) ?? []);
      tally.add(await previewDevice(device, facts, moment, this.requests), touching);
    }
    const { target } = ground.plan;
    const bytes =
      target.kind === 'revision'
        ? await db.asSystem((tx) => bytesOf(tx, target.snapId, tally.moves))
        : { bytesFull: 0, bytesDelta: 0 };
    return { ...tally.sheet(at?.toISOString() ?? null), ...bytes };
  }
}

function momentOf(ground: PreviewGround, at: Date | null): PreviewMoment {
  const t = at?.getTime() ?? ground.endsAt;
  return { plan: ground.plan, policy: ground.policyAt(t), t, isWindowless: at === null };
}

function timesOf(ground: PreviewGround): Pick<RolloutPreviewSheets, 'waves' | 'curve'> {
  const { waves, opensAt, startsAt } = ground;
  return {
    waves: waves.map(({ no, name, k, rampMs }, index) => ({
      ...{ no, name, k, rampSeconds: rampMs / 1000 },
      opensAt: new Date(opensAt[index] ?? startsAt).toISOString(),
    })),
    curve: admissionCurve(waves, startsAt).map(({ at, admitted }) => ({
      at: new Date(at).toISOString(),
      admitted,
    })),
  };
}

/** The live rollouts of other plans, by fleet. */
function otherRollouts(
  { snaps, sequences, overlay }: PolicySnapshot,
  rolloutId: string,
): ReadonlyMap<string, readonly Touching[]> {
  const all = [
    ...Object.values(snaps).flatMap(({ lanes }) =>
      Object.values(lanes).flatMap(({ rollouts }) => Object.values(rollouts)),
    ),
    ...Object.values(sequences).flatMap((set) => Object.values(set)),
  ].filter((one) => one.rolloutId !== rolloutId && one.rolloutId in overlay.rollouts);
  const byFleet = new Map<string, Touching[]>();
  for (const { rolloutId: id, name: title, fleetId } of all)
    byFleet.set(fleetId, [...(byFleet.get(fleetId) ?? []), { rolloutId: id, title, fleetId }]);
  return byFleet;
}

/** The preview of a rollout as it waits now: of this submission, not of one before. */
export async function storedPreview(tx: Tx, row: Rollout): Promise<StoredPreview | null> {
  const found = await tx.findOneBy(RolloutPreview, { rolloutId: row.id, rev: row.rev });
  return found && toStored(found);
}

export async function keepPreview(tx: Tx, row: Rollout, made: NewPreview): Promise<void> {
  const { id: rolloutId, brandId, rev } = row;
  const { hash, preview } = made;
  await tx
    .createQueryBuilder()
    .insert()
    .into(RolloutPreview)
    .values({ rolloutId, brandId, rev, hash, preview: preview as object })
    .orIgnore()
    .execute();
}

const toStored = ({ hash, createdAt, preview }: RolloutPreview): StoredPreview => ({
  hash,
  createdAt,
  // Only this file writes them.
  preview: preview as RolloutPreviewSheets,
});
