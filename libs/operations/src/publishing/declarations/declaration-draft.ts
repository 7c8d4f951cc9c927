import { assertionTypes, type Assertion, type HeaderMap, type HeaderValue } from '#libs/assertions';
import { OperationError } from '../../operation-error.js';

/** New values for parts of a snap-declaration (assertions.md 9): undefined leaves a part as it is, null takes it away. */
export interface DeclarationOrder {
  /** Interface → rule (assertions.md 10.1). */
  readonly plugs?: unknown;
  readonly slots?: unknown;
  /** List of `{ name, target }`. */
  readonly aliases?: unknown;
  readonly autoAliases?: unknown;
  /** Ids of snaps whose updates this snap gates. */
  readonly refreshControl?: unknown;
  readonly revisionAuthority?: unknown;
}

/** Parts that people may edit, and the headers that carry them. */
export const EDITABLE: Readonly<Record<keyof DeclarationOrder, string>> = {
  plugs: 'plugs',
  slots: 'slots',
  aliases: 'aliases',
  autoAliases: 'auto-aliases',
  refreshControl: 'refresh-control',
  revisionAuthority: 'revision-authority',
};

/** What each new revision says anew. */
const OF_ONE_REVISION = new Set([
  'type',
  'format',
  'revision',
  'timestamp',
  'body-length',
  'sign-key-sha3-384',
]);

/**
 * The headers of the next revision: those of the current one with the order's parts, in the lowest format that can say so
 * (assertions.md 11.1). Throws AssertionError for a rule that cannot be, `invalid` for what is no header value.
 */
export function nextHeaders(current: Assertion, order: DeclarationOrder): HeaderMap {
  const kept = Object.entries(current.headers).filter(([name]) => !OF_ONE_REVISION.has(name));
  const headers: Record<string, HeaderValue> = Object.fromEntries(kept) as Record<
    string,
    HeaderValue
  >;
  for (const [part, header] of Object.entries(EDITABLE)) {
    const value = order[part as keyof DeclarationOrder];
    if (value === undefined) continue;
    if (value === null || isEmpty(value)) delete headers[header];
    else headers[header] = toHeaderValue(value, part);
  }
  const format = assertionTypes['snap-declaration'].minimumFormat(headers);
  return {
    ...headers,
    ...(format > 0 && { format: String(format) }),
    revision: String(current.revision + 1),
  };
}

/** Assertions know texts, lists and maps: yes, no and numbers are written as text. */
function toHeaderValue(value: unknown, path: string): HeaderValue {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value);
  if (Array.isArray(value)) return value.map((one, at) => toHeaderValue(one, `${path}[${at}]`));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        toHeaderValue(member, `${path}.${name}`),
      ]),
    );
  throw new OperationError(
    'invalid',
    'cannot write this into an assertion: it is no text, list or map',
    {
      paths: [path],
    },
  );
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;
