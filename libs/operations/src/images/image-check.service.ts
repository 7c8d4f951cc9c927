import { decodeAssertion, header, prerequisites, type Assertion } from '#libs/assertions';
import { BrandStore, type RevisionDetails } from '#libs/database';
import { isPublic, reasonText } from '#libs/update-control';
import type { AssertionQuery, AssertionService } from '../devices/assertion.service.js';
import type { RevisionCatalogue } from '../devices/revision-catalogue.js';
import { findNewest } from '../models/find-model.js';
import { ModelRegistry } from '../models/model-registry.js';
import { OperationError } from '../operation-error.js';
import type { DecidedAction, DecisionService } from '../policy/decision.service.js';
import type { SeenSnap, StoreView, StoreViews } from '../policy/store-view.js';
import type { Resources } from '../resources.js';
import { problemsOfSnap } from './image-problems.js';
import { wantedSnaps, type WantedSnap } from './wanted-snaps.js';

export interface ImageWish {
  /** The name of a registered model; its newest revision counts. */
  readonly model: string;
  /** Snaps beyond the model, `name` or `name=channel`. */
  readonly extras: readonly string[];
  /** For snaps to which the model gives no channel; null: each snap's default. */
  readonly channel: string | null;
}

/** A snap that the image would hold, or what stands in its way. */
export interface CheckedSnap extends WantedSnap {
  readonly revision: number | null;
  readonly version: string | null;
  /** User name of its publisher. */
  readonly publisher: string | null;
  readonly sizeBytes: number | null;
  /** Only builders with credentials get it (S21). */
  readonly needsCredentials: boolean;
  readonly problems: readonly string[];
}

/** What an image of a model would hold, and what is missing, in words (S22). */
export interface ImageCheck {
  readonly model: string;
  readonly revision: number;
  readonly storeId: string | null;
  readonly architecture: string | null;
  readonly isComplete: boolean;
  readonly snaps: readonly CheckedSnap[];
  /** What is wrong with the model itself, and with its assertions. */
  readonly problems: readonly string[];
}

/** What devices are answered by: the check asks the same. */
export interface ImageGround {
  readonly views: StoreViews;
  readonly decisions: DecisionService;
  readonly revisions: RevisionCatalogue;
  readonly assertions: AssertionService;
}

const MAX_FORMAT = 1000;

/** Asks the store for everything that an image builder will ask it for (S20). */
export class ImageCheckService {
  constructor(
    private readonly resources: Pick<Resources, 'db'>,
    private readonly ground: ImageGround,
  ) {}

  /** Throws `not-found` for a model that is not registered. */
  async check(brandId: string, wish: ImageWish): Promise<ImageCheck> {
    const { db } = this.resources;
    const row = await db.asBrand(brandId, (tx) => findNewest(tx, brandId, wish.model));
    if (row === null)
      throw new OperationError('not-found', `cannot find model ${wish.model}: register it first`);
    const model = decodeAssertion(row.bytes);
    const view = await this.viewFor(model, row.architecture);
    const snaps = await this.checkSnaps(model, wish, view);
    const problems = [
      ...(await this.problemsOfModel(brandId, model)),
      ...refusedExtras(model, wish),
    ];
    const isComplete = problems.length === 0 && snaps.every((one) => one.problems.length === 0);
    const { revision, storeId, architecture } = row;
    return { model: row.model, revision, storeId, architecture, isComplete, snaps, problems };
  }

  /** As a builder with credentials of the brand sees the model's store. */
  private async viewFor(model: Assertion, architecture: string | null): Promise<StoreView> {
    const brandId = header(model, 'brand-id');
    const view = await this.ground.views.open(
      {
        ...{ session: null, wantsRenewal: false, architecture },
        storeId: header(model, 'store') || null,
        grants: new Map([[brandId, [{ role: 'viewer', limits: {} }]]]),
      },
      null,
    );
    if (!view) throw new Error('internal error: a view without a session is never refused');
    return view;
  }

  private async checkSnaps(
    model: Assertion,
    { extras, channel }: ImageWish,
    view: StoreView,
  ): Promise<CheckedSnap[]> {
    const wanted = wantedSnaps(model, extras);
    const unsaid = { revision: null, ignoreValidation: false } as const;
    const actions = wanted.map((one) => ({
      ...{ ...unsaid, action: 'download', instanceKey: one.name, by: 'name', snap: one.name },
      channel: one.channel ?? channel,
    }));
    const poll = { installed: [], isScheduled: false, isAutomaticRepeat: false, isShed: false };
    const decided = await this.ground.decisions.decide(view, {
      ...poll,
      actions: actions as DecidedAction['action'][],
    });
    const names = new Set(wanted.map(({ name }) => name));
    return Promise.all(
      wanted.map((one, at) => this.checkSnap(model, one, decided[at] ?? null, view, names)),
    );
  }

  private async checkSnap(
    model: Assertion,
    wanted: WantedSnap,
    decided: DecidedAction | null,
    view: StoreView,
    names: ReadonlySet<string>,
  ): Promise<CheckedSnap> {
    const seen = decided?.seen ?? null;
    const number = decided?.decision?.revision ?? null;
    const details =
      seen && number !== null ? await this.ground.revisions.get(seen.snap.snapId, number) : null;
    const why = (decided?.decision?.reasons ?? []).map(reasonText);
    const missing = details && seen ? await this.missingChain(details, seen, view) : [];
    return {
      ...wanted,
      revision: details?.revision ?? null,
      version: details?.version ?? null,
      publisher: details?.publisher.username ?? null,
      sizeBytes: details?.sizeBytes ?? null,
      needsCredentials: seen !== null && !isPublic(seen.snap),
      problems: [
        ...problemsOfSnap({ model, wanted, isSeen: seen !== null, why, details, names }),
        ...missing.map((path) => `assertion ${path} is missing`),
      ],
    };
  }

  /** Assertions that a builder could not fetch, from the revision up to the root. */
  private async missingChain(
    { snapId, sha3384, snapYaml }: RevisionDetails,
    { snap }: SeenSnap,
    view: StoreView,
  ): Promise<string[]> {
    const digest = Buffer.from(sha3384, 'hex').toString('base64url');
    // Builders ask for the provenance that the snap itself says (device-api.md 2.2).
    const provenance = /^provenance: *["']?([\w-]+)/m.exec(snapYaml)?.[1];
    const key = provenance === undefined ? [digest] : [digest, provenance];
    const mayRead = async (): Promise<boolean> => (await view.find('id', snap.snapId)) !== null;
    return this.missing(
      [
        { type: 'snap-revision', key, maxFormat: MAX_FORMAT },
        { type: 'snap-declaration', key: ['16', snapId], maxFormat: MAX_FORMAT },
      ],
      mayRead,
    );
  }

  private async missing(
    wanted: readonly AssertionQuery[],
    mayRead: () => Promise<boolean>,
  ): Promise<string[]> {
    const seen = new Set<string>();
    const absent: string[] = [];
    const open = [...wanted];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const path = `${next.type}/${next.key.join('/')}`;
      if (seen.has(path)) continue;
      seen.add(path);
      const row = await this.ground.assertions.find(next, mayRead);
      if (row === null) absent.push(path);
      else
        open.push(
          ...prerequisites(decodeAssertion(row.bytes)).map(({ type, primaryKey }) => ({
            ...{ type, key: primaryKey, maxFormat: MAX_FORMAT },
          })),
        );
    }
    return absent;
  }

  private async problemsOfModel(brandId: string, model: Assertion): Promise<string[]> {
    const { db } = this.resources;
    const text = model.bytes.toString('utf8');
    const standing = await new ModelRegistry({ db }).check(brandId, text);
    const storeId = header(model, 'store');
    const hasStore =
      storeId === '' ||
      (await db.asBrand(brandId, (tx) => tx.existsBy(BrandStore, { id: storeId })));
    const sets = validationSetsOf(model).map(({ key, sequence }) => ({
      ...{ type: 'validation-set', key, maxFormat: MAX_FORMAT },
      sequence: sequence === null ? ('latest' as const) : { at: sequence },
    }));
    const ofModel = prerequisites(model).map(({ type, primaryKey }) => ({
      ...{ type, key: primaryKey, maxFormat: MAX_FORMAT },
    }));
    const absent = await this.missing([...ofModel, ...sets], () => Promise.resolve(true));
    return [
      ...(standing.state === 'registered' ? [] : [standing.cause ?? standing.state]),
      ...(hasStore ? [] : [`the model names store ${storeId}, which is not here`]),
      ...absent.map((path) => `assertion ${path} is missing`),
    ];
  }
}

/** The keys of the sets that the model names, without the sequence. */
function validationSetsOf(
  model: Assertion,
): { readonly key: readonly string[]; readonly sequence: number | null }[] {
  const listed = model.headers['validation-sets'];
  return (Array.isArray(listed) ? listed : []).map((entry) => {
    // The decoder has checked that they are maps of texts.
    const of = entry as Readonly<Partial<Record<'account-id' | 'name' | 'sequence', string>>>;
    const key = ['16', of['account-id'] ?? header(model, 'brand-id'), of.name ?? ''];
    return { key, sequence: of.sequence === undefined ? null : Number(of.sequence) };
  });
}

/** Builders refuse them for any grade above dangerous, whatever a store serves (S21). */
function refusedExtras(model: Assertion, { extras, channel }: ImageWish): string[] {
  if (!('snaps' in model.headers)) return [];
  const grade = header(model, 'grade') || 'signed';
  if (grade === 'dangerous' || (extras.length === 0 && channel === null)) return [];
  return [`a model of grade ${grade} takes no extra snaps and no other channels`];
}
