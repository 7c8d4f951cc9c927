import { setImmediate } from 'node:timers/promises';
import {
  findIcon,
  listAliasDeclarations,
  listCategories,
  searchSnaps,
  type IconFile,
  type RevisionDetails,
  type SnapSearch,
} from '#libs/database';
import { decodeAssertion } from '#libs/assertions';
import { channelText, findChannel } from '#libs/update-control';
import type { RevisionCatalogue } from '../devices/revision-catalogue.js';
import type { DecisionService } from '../policy/decision.service.js';
import type { SeenSnap, StoreView } from '../policy/store-view.js';
import type { Resources } from '../resources.js';
import { askForAllChannels, toOfferedChannel, type OfferedChannel } from './offered-channels.js';
import { readPrograms, type Programs } from './read-programs.js';

/** More than anybody reads; snapd asks for no second page (device-api.md 2.7). */
const MOST_FOUND = 100;
/** So many snaps are decided about without a break. */
const AT_ONCE = 100;
/** What is shown to those who look without a word (`snap find`). */
export const FEATURED = 'featured';

/** A channel with what is on it. */
export interface ShelfChannel extends OfferedChannel {
  readonly details: RevisionDetails;
}

/** What `snap info` is about: a snap with its open channels, of which there is at least one; the first is its default. */
export interface Shelf {
  readonly seen: SeenSnap;
  readonly channels: readonly [ShelfChannel, ...ShelfChannel[]];
}

/** A snap with the channel that stands for it in lists. */
export interface FoundSnap extends ShelfChannel {
  readonly seen: SeenSnap;
}

export interface ListedSnap extends FoundSnap, Programs {
  readonly aliases: readonly { readonly name: string; readonly target: string }[];
}

/** What is null is not asked. */
export interface CatalogueQuery extends Omit<SnapSearch, 'words'> {
  /** As somebody typed it. */
  readonly text: string | null;
  readonly commonId: string | null;
  /** In the long form: only what is on this very channel. */
  readonly channel: string | null;
  readonly isPrivateOnly: boolean;
  /** Kinds of confinement that the device takes. */
  readonly confinement: readonly string[] | null;
}

/** What there is in a store for those who look around. Everything is what the caller sees and what `resolve()` would give them. */
export class CatalogueService {
  constructor(
    private readonly resources: Pick<Resources, 'db'>,
    private readonly decisions: DecisionService,
    private readonly revisions: RevisionCatalogue,
  ) {}

  /** Null for a snap that does not exist for the caller, or has nothing for its architecture. */
  async info(view: StoreView, name: string): Promise<Shelf | null> {
    const seen = await view.find('name', name);
    if (!seen) return null;
    const offered = await this.offeredChannels(view, seen);
    const shelved = offered.map(async (channel) => {
      const details = await this.revisions.get(seen.snap.snapId, channel.revision);
      return details && { ...channel, details };
    });
    const [first, ...others] = (await Promise.all(shelved)).filter((one) => one !== null);
    return first ? { seen, channels: [first, ...others] } : null;
  }

  /** The best first. */
  async find(view: StoreView, query: CatalogueQuery): Promise<FoundSnap[]> {
    const all = (await view.list()).filter(({ snap }) => !query.isPrivateOnly || snap.isPrivate);
    const words = query.text === null ? null : (query.text.match(/[\p{L}\p{N}]+/gu) ?? []);
    // Somebody asked for something that is no word.
    if (words?.length === 0) return [];
    const { namePrefix } = query;
    const category = await this.categoryToSearch(all, query.category);
    const ids = await this.resources.db.asSystem((tx) =>
      searchSnaps(tx, idsOf(all), { words, namePrefix, category }),
    );
    const byId = new Map(all.map((seen) => [seen.snap.snapId, seen]));
    const wanted = ids.map((id) => byId.get(id)).filter((seen) => seen !== undefined);
    const found: FoundSnap[] = [];
    for (let at = 0; at < wanted.length && found.length < MOST_FOUND; at += AT_ONCE) {
      const some = await this.onShelves(view, wanted.slice(at, at + AT_ONCE), query.channel);
      found.push(...some.filter((one) => fits(one, query)));
    }
    return found.slice(0, MOST_FOUND);
  }

  /** Every snap with its commands, by name. */
  async names(view: StoreView, confinement: CatalogueQuery['confinement']): Promise<ListedSnap[]> {
    const all = await view.list();
    const found: FoundSnap[] = [];
    for (let at = 0; at < all.length; at += AT_ONCE) {
      found.push(...(await this.onShelves(view, all.slice(at, at + AT_ONCE), null)));
      // Polls are answered in between.
      await setImmediate();
    }
    const listed = found.filter(({ details }) => takes(confinement, details));
    const aliases = await this.aliases(listed.map(({ seen }) => seen.snap.snapId));
    return listed.map((one) => ({
      ...one,
      ...readPrograms(one.details),
      aliases: aliases.get(one.seen.snap.snapId) ?? [],
    }));
  }

  /** The categories that something is in for this caller; `featured` always. */
  async categories(view: StoreView): Promise<string[]> {
    const all = await view.list();
    const used = await this.resources.db.asSystem((tx) => listCategories(tx, idsOf(all)));
    return [FEATURED, ...used.filter((name) => name !== FEATURED)];
  }

  /** Whoever knows its digest has seen the icon: it says nothing of the snap (decisions 13). */
  icon(file: IconFile): Promise<Buffer | null> {
    return this.resources.db.asSystem((tx) => findIcon(tx, file));
  }

  /** As long as nobody chose what a store features, it features everything. */
  private async categoryToSearch(
    all: readonly SeenSnap[],
    category: string | null,
  ): Promise<string | null> {
    if (category !== FEATURED) return category;
    const used = await this.resources.db.asSystem((tx) => listCategories(tx, idsOf(all)));
    return used.includes(FEATURED) ? FEATURED : null;
  }

  private async offeredChannels(view: StoreView, seen: SeenSnap): Promise<OfferedChannel[]> {
    const decided = await this.decisions.decide(view, askForAllChannels(seen.snap));
    return decided.map(toOfferedChannel).filter((one) => one !== null);
  }

  private async firstChannel(
    view: StoreView,
    seen: SeenSnap,
    channel: string | null,
  ): Promise<OfferedChannel | null> {
    const poll = askForAllChannels(seen.snap);
    const wanted = channel === null ? null : findChannel(channel, seen.snap.defaultTrack);
    const text = wanted && channelText(wanted);
    for (const action of poll.actions) {
      if (text !== null && action.channel !== text) continue;
      const [decided] = await this.decisions.decide(view, { ...poll, actions: [action] });
      const offered = decided && toOfferedChannel(decided);
      if (offered) return offered;
    }
    return null;
  }

  /** Of each snap its first channel, or the one named; snaps without it are left out. */
  private async onShelves(
    view: StoreView,
    snaps: readonly SeenSnap[],
    channel: string | null,
  ): Promise<FoundSnap[]> {
    const offers = await Promise.all(
      snaps.map(async (seen) => {
        const offer = await this.firstChannel(view, seen, channel);
        return offer && { seen, ...offer };
      }),
    );
    const there = offers.filter((one) => one !== null);
    const details = await this.revisions.list(
      there.map(({ seen, revision }) => ({ snapId: seen.snap.snapId, revision })),
    );
    return there.flatMap((one) => {
      const known = details.get(one.seen.snap.snapId);
      return known ? [{ ...one, details: known }] : [];
    });
  }

  private async aliases(snapIds: readonly string[]): Promise<Map<string, ListedSnap['aliases']>> {
    const found = await this.resources.db.asSystem((tx) => listAliasDeclarations(tx, snapIds));
    return new Map(found.map(({ snapId, bytes }) => [snapId, readAliases(bytes)]));
  }
}

const idsOf = (all: readonly SeenSnap[]): string[] => all.map(({ snap }) => snap.snapId);

const takes = (kinds: CatalogueQuery['confinement'], { confinement }: RevisionDetails): boolean =>
  kinds === null || kinds.includes(confinement);

function fits({ details }: FoundSnap, { confinement, commonId }: CatalogueQuery): boolean {
  const isWanted = commonId === null || readPrograms(details).commonIds.includes(commonId);
  return isWanted && takes(confinement, details);
}

/** What the snap's publisher may call its apps everywhere (assertions.md 9, snap-declaration). */
function readAliases(declaration: Buffer): ListedSnap['aliases'] {
  const { aliases } = decodeAssertion(declaration).headers;
  if (!Array.isArray(aliases)) return [];
  return aliases.flatMap((one) => {
    const { name, target } = one as Readonly<Record<string, unknown>>;
    return typeof name === 'string' && typeof target === 'string' ? [{ name, target }] : [];
  });
}
