import { randomBytes, randomUUID } from 'node:crypto';
import { formatId } from '#libs/auth';

/** What a request can name. */
const KINDS = [
  'word',
  'brand',
  'store',
  'snap',
  'snapId',
  'sha3',
  'blob',
  'keyId',
  'device',
  'deviceKey',
  'model',
  'serial',
  'person',
  'email',
  'session',
  'fleet',
  'hold',
  'pin',
  'floor',
  'stop',
  'rollout',
  'licence',
  'webhook',
  'token',
  'credentials',
  'upload',
  'signingKey',
  'apiKey',
  'vaultToken',
  'vaultMember',
  'pending',
  'remodel',
] as const;
export type Kind = (typeof KINDS)[number];

/** Things of a brand, or of nobody: the same members with values of the same shape and length. */
export type Things = Readonly<Record<Kind, string>>;

const id = (): string => formatId(randomBytes(32));
const digest = (): string => randomBytes(48).toString('base64url');
const WORDLESS = 'nowhere';

const SHAPES: Readonly<Partial<Record<Kind, () => string>>> = {
  word: () => WORDLESS,
  brand: id,
  store: id,
  snap: () => `${WORDLESS}-tool`,
  snapId: id,
  sha3: digest,
  keyId: digest,
  signingKey: digest,
  deviceKey: digest,
  model: () => `${WORDLESS}-box`,
  serial: () => `${WORDLESS}-1`,
  email: () => `boss@${WORDLESS}.example`,
};

/** Values in the shape of a brand's, of which there is nothing; each time others. */
export const nothing = (): Things =>
  // Every kind is there: they are what is mapped.
  Object.fromEntries(KINDS.map((kind) => [kind, (SHAPES[kind] ?? randomUUID)()])) as Things;
