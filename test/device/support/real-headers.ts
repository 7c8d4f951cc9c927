/** The fields that `snap info` and `snap find` of a client ask for, as in test/captures. */
interface Client {
  readonly name: string;
  readonly userAgent: string;
  readonly infoFields: string;
  readonly findFields: string;
}

const NEWEST = [
  'architectures,base,confinement,links,contact,created-at,description,download,epoch,license,name,prices,private',
  'publisher,revision,snap-id,summary,title,type,version,website,store-url,resources,media,common-ids,categories',
].join();
const FIND = [
  'base,confinement,links,contact,description,download,license,prices,private,publisher,revision,summary,title,type',
  'version,website,store-url,media,common-ids,categories,channel',
].join();
const without = (fields: string, ...gone: readonly string[]): string =>
  fields
    .split(',')
    .filter((field) => !gone.includes(field))
    .join();

/** The oldest client that is promised to work, and the newest. */
export const CLIENTS: readonly Client[] = [
  {
    name: 'snapd 2.57.6',
    userAgent: 'snapd/2.57.6 (series 16; classic) debian/12 (amd64) linux/6.1.0-test',
    infoFields: without(NEWEST, 'links', 'resources', 'categories'),
    findFields: without(FIND, 'links', 'categories'),
  },
  {
    name: 'snapd 2.77',
    userAgent: 'snapd/2.77 (series 16) ubuntu-core/24 (amd64) linux/6.8.0-1015-raspi',
    infoFields: NEWEST,
    findFields: FIND,
  },
];

/** What a client says of its device on a call; null says nothing. */
export interface Said {
  readonly session?: string | null;
  readonly store?: string | null;
  readonly architecture?: string;
}

/** The headers of `/v2/*`, of either level (device-api.md 0.3). */
export function levelHeaders(
  level: 1 | 2,
  { session = null, store = null, architecture = 'amd64' }: Said,
  userAgent = CLIENTS[1]?.userAgent ?? '',
): Record<string, string> {
  const [own, classic] =
    level === 1 ? ['x-ubuntu', 'x-ubuntu-classic'] : ['snap-device', 'snap-classic'];
  const authorization = level === 1 ? 'x-device-authorization' : 'snap-device-authorization';
  return {
    'user-agent': userAgent,
    'snap-device-capabilities': 'default-tracks',
    [`${own}-series`]: '16',
    [`${own}-architecture`]: architecture,
    [classic]: 'false',
    ...(level === 1 && { 'x-ubuntu-wire-protocol': '1' }),
    ...(store !== null && { [`${own}-store`]: store }),
    ...(session !== null && { [authorization]: `Macaroon root="${session}"` }),
  };
}
