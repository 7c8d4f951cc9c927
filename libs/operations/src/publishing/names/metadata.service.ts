import { GivenIcon, recordAudit, Snap, type Tx } from '#libs/database';
import { createHash } from 'node:crypto';
import { performAct } from '../../brands/act.js';
import type { Principal } from '../../brands/principal.js';
import { getSnap } from '../../rollouts/find.js';
import { OperationError } from '../../operation-error.js';
import type { Resources } from '../../resources.js';
import type { Actor } from '../actor.js';
import { iconFormat } from '../review/find-icon.js';
import { refusal } from '../wire-code.js';

/** What a snap says about itself; what is left out stays as it is. */
export interface SnapTexts {
  readonly title?: string | undefined;
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly license?: string | undefined;
  readonly website?: string | undefined;
  readonly contact?: string | undefined;
}

export interface MetadataOrder extends SnapTexts {
  readonly brandId: string;
  readonly snapId: string;
  readonly defaultTrack?: string | undefined;
  /** Also over texts that were edited in the store. */
  readonly overwrites: boolean;
}

/** Null: the snap shall have none of its own. */
export interface IconOrder {
  readonly brandId: string;
  readonly snapId: string;
  readonly icon: { readonly filename: string; readonly bytes: Buffer } | null;
}

/** Changes what a snap says about itself, and where installs without channel go (publisher-api.md 3.11). */
export class MetadataService {
  constructor(private readonly resources: Resources) {}

  /**
   * As a publisher sends it. Throws `not-found`, `invalid` for a default track that does not exist, and `conflict` naming every
   * text that was edited in the store, is another there, and shall not be overwritten.
   */
  update(who: Actor, order: MetadataOrder): Promise<void> {
    const { brandId, snapId, overwrites, ...changes } = order;
    return this.resources.db.asBrand(brandId, async (tx) => {
      const snap = await ownSnap(tx, brandId, snapId);
      checkTrack(snap, changes.defaultTrack);
      const given = givenOf(changes);
      if (Object.keys(given).length === 0) return;
      const conflicts = snap.editedTexts.filter(
        (name) => name in given && given[name] !== textOf(snap, name),
      );
      if (conflicts.length > 0 && !overwrites) throw inConflict(snap, given, conflicts);
      const editedTexts = snap.editedTexts.filter((name) => !(name in given));
      await tx.update(Snap, { id: snapId }, { ...given, editedTexts });
      await recordAudit(tx, {
        brandId,
        actor: who.label,
        action: 'update-metadata',
        subject: `snap:${snap.name}`,
        detail: { before: beforeOf(snap, given), after: given },
      });
    });
  }

  /** As somebody edits it in the store, which counts more than what comes with the next upload. Throws `not-found`. */
  edit(
    who: Principal,
    brandId: string,
    order: { readonly snap: string; readonly texts: SnapTexts },
    key?: string,
  ): Promise<Snap> {
    const act = { who, brandId, action: 'edit-texts', idempotencyKey: key, request: order };
    return performAct(this.resources.db, act, async (tx) => {
      const snap = await getSnap(tx, brandId, order.snap);
      const given = givenOf(order.texts);
      const editedTexts = [...new Set([...snap.editedTexts, ...Object.keys(given)])];
      await tx.update(Snap, { id: snap.id }, { ...given, editedTexts });
      return {
        result: { ...snap, ...given, editedTexts },
        subject: `snap:${snap.name}`,
        detail: { before: beforeOf(snap, given), after: given },
      };
    });
  }

  /** The icon that a publisher gave to the snap; null: none. */
  icon(brandId: string, snapId: string): Promise<GivenIcon | null> {
    return this.resources.db.asBrand(brandId, (tx) => tx.findOneBy(GivenIcon, { snapId, brandId }));
  }

  /** Throws `not-found`, and `invalid` for what is no icon. */
  setIcon(who: Actor, { brandId, snapId, icon }: IconOrder): Promise<void> {
    const format = icon && iconFormat(icon.bytes);
    if (icon && !format)
      throw refusal(
        'invalid',
        'invalid-field',
        'cannot use the icon: send PNG or SVG, 300 kB at most',
      );
    return this.resources.db.asBrand(brandId, async (tx) => {
      const snap = await ownSnap(tx, brandId, snapId);
      const before = await tx.findOneBy(GivenIcon, { snapId });
      const sha256 = icon && createHash('sha256').update(icon.bytes).digest('hex');
      await tx.delete(GivenIcon, { snapId });
      if (icon && format && sha256)
        await tx.insert(GivenIcon, { snapId, brandId, sha256, format, ...icon });
      await recordAudit(tx, {
        brandId,
        actor: who.label,
        action: 'set-icon',
        subject: `snap:${snap.name}`,
        detail: { before: before?.sha256 ?? null, after: sha256 },
      });
    });
  }
}

type Given = Readonly<Record<string, string>>;

const textOf = (snap: Snap, name: string): unknown => (snap as unknown as Given)[name];

const givenOf = (changes: object): Given =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));

const beforeOf = (snap: Snap, given: Given): object =>
  Object.fromEntries(Object.keys(given).map((name) => [name, textOf(snap, name)]));

async function ownSnap(tx: Tx, brandId: string, id: string): Promise<Snap> {
  const snap = await tx.findOneBy(Snap, { id, brandId });
  if (!snap) throw refusal('not-found', 'resource-not-found', 'cannot find this snap');
  return snap;
}

function checkTrack(snap: Snap, track: string | undefined): void {
  if (track === undefined || snap.tracks.includes(track)) return;
  throw refusal(
    'invalid',
    'invalid-field',
    `cannot make '${track}' the default track: ${snap.name} has no such track`,
  );
}

/** One item for each text; clients read its name and what is there from `extra` (publisher-api.md 3.11). */
function inConflict(snap: Snap, given: Given, names: readonly string[]): OperationError {
  const conflicts = names.map((name) => ({
    message: `Conflict on ${name}`,
    extra: { name, current: textOf(snap, name), value: given[name] },
  }));
  return new OperationError('conflict', 'cannot overwrite texts that were edited in the store', {
    conflicts,
  });
}
