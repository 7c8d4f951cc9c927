import {
  decodeAssertions,
  DEFAULT_PROVENANCE,
  header,
  type Assertion,
  type AssertionTypeName,
} from '#libs/assertions';
import { refusingSync } from '../brands/refused-assertion.js';
import { OperationError } from '../operation-error.js';

/** What `snap download` writes beside a snap (device-api.md 3.7), sorted. */
export interface ImportPapers {
  readonly revision: Assertion;
  readonly declaration: Assertion;
  /** All of the files, each assertion once. */
  readonly all: readonly Assertion[];
  /** As announced: lower-case hex. */
  readonly sha3384: string;
  readonly sizeBytes: number;
  readonly snapId: string;
  readonly name: string;
  readonly number: number;
  readonly provenance: string;
}

const KNOWN: ReadonlySet<AssertionTypeName> = new Set([
  'account',
  'account-key',
  'snap-declaration',
  'snap-revision',
]);

/** Signatures are not looked at. Throws `invalid` for anything but one snap's revision, declaration, accounts and keys. */
export function readPapers(text: string): ImportPapers {
  const stream = refusingSync(() => decodeAssertions(Buffer.from(text, 'utf8')));
  const all = [...new Map(stream.map((one) => [one.bytes.toString('utf8'), one])).values()];
  const odd = all.find(({ type }) => !KNOWN.has(type));
  if (odd) throw refused(`it holds a ${odd.type}, which no "snap download" writes`);
  const revision = only(all, 'snap-revision');
  const declaration = only(all, 'snap-declaration');
  const snapId = header(revision, 'snap-id');
  if (header(declaration, 'snap-id') !== snapId)
    throw refused('snap-declaration and snap-revision are of different snaps');
  const name = header(declaration, 'snap-name');
  if (name === '') throw refused(`the root has revoked snap ${snapId}: its name is empty`);
  return {
    ...{ revision, declaration, all, snapId, name },
    sha3384: Buffer.from(header(revision, 'snap-sha3-384'), 'base64url').toString('hex'),
    sizeBytes: Number(header(revision, 'snap-size')),
    number: Number(header(revision, 'snap-revision')),
    provenance: header(revision, 'provenance') || DEFAULT_PROVENANCE,
  };
}

function only(all: readonly Assertion[], type: AssertionTypeName): Assertion {
  const [one, second] = all.filter((each) => each.type === type);
  if (one && !second) return one;
  throw refused(`it takes exactly one ${type}, as "snap download" writes it`);
}

const refused = (why: string): OperationError =>
  new OperationError('invalid', `cannot import these assertions: ${why}`, {
    paths: ['assertions'],
  });
