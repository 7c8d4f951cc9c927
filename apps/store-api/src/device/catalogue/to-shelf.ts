import type { FoundSnap, ListedSnap, Shelf, ShelfChannel } from '#libs/operations';
import { channelText, type Channel } from '#libs/update-control';
import { toSnap } from '../refresh/to-snap.js';

/** Fields that differ from revision to revision; the others are the snap's. */
const OF_REVISION = new Set([
  'architectures',
  'base',
  'channel',
  'common-ids',
  'confinement',
  'created-at',
  'download',
  'epoch',
  'resources',
  'revision',
  'snap-yaml',
  'type',
  'version',
]);

/** What an answer is written with; `fields` null asks for all. */
export interface ShelfGround {
  readonly publicUrl: string;
  readonly fields: ReadonlySet<string> | null;
}

type Json = Readonly<Record<string, unknown>>;

/** The answer of `info` (device-api.md 2.6). Pure. */
export function toInfo({ seen, channels }: Shelf, { publicUrl, fields }: ShelfGround): Json {
  const { snapId, name, defaultTrack } = seen.snap;
  const [{ details }] = channels;
  return {
    name,
    'snap-id': snapId,
    'default-track': defaultTrack === 'latest' ? null : defaultTrack,
    snap: pick(toSnap(details, fields, publicUrl), (field) => !OF_REVISION.has(field)),
    'channel-map': channels.map((one) => ({
      channel: toChannel(one, seen.facts.architecture),
      ...toSnap(one.details, fields, publicUrl),
    })),
  };
}

function toChannel({ channel, releasedAt, details }: ShelfChannel, architecture: string): Json {
  const { track, risk } = channel;
  return {
    architecture,
    name: shortName(channel),
    track,
    risk,
    'released-at': new Date(releasedAt ?? details.createdAt).toISOString(),
  };
}

/** As people write it: `latest` is not said. */
function shortName(channel: Channel): string {
  return channel.track === 'latest' ? channel.risk : channelText(channel);
}

/** One result of `find` (device-api.md 2.7). Pure. */
export function toFound({ details, channel }: FoundSnap, { publicUrl, fields }: ShelfGround): Json {
  const all = toSnap(details, fields, publicUrl);
  return {
    name: details.name,
    'snap-id': details.snapId,
    revision: {
      ...pick(all, (field) => OF_REVISION.has(field)),
      channel: shortName(channel),
    },
    snap: pick(all, (field) => !OF_REVISION.has(field)),
  };
}

/** One entry of `names` (device-api.md 2.12). Pure. */
export function toListed({ details, apps, aliases }: ListedSnap): Json {
  return {
    package_name: details.name,
    version: details.version,
    summary: details.summary ?? '',
    title: details.title ?? details.name,
    apps,
    aliases,
  };
}

function pick(of: Json, isWanted: (field: string) => boolean): Json {
  return Object.fromEntries(Object.entries(of).filter(([field]) => isWanted(field)));
}
