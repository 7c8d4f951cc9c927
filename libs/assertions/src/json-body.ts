import { breaksRule } from './values.js';

/** No canonical body of permitted size nests deeper: every level indents its lines by two more spaces. */
const MAX_DEPTH = 1500;

/**
 * Types with a JSON body must write it in the one form that Go's `json.MarshalIndent(v, "", "  ")` gives (assertions.md
 * 1.4): two-space indent, sorted keys, `<`, `>` and `&` escaped.
 *
 * @throws AssertionError `header value breaks a rule of the type`
 */
export function checkJsonBody(body: Buffer): void {
  if (body.length === 0) breaksRule('the body must be JSON');
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    breaksRule('the body is not valid JSON');
  }
  if (write(value, 0) !== text) {
    breaksRule('the JSON body must be indented with two spaces, with its keys sorted');
  }
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) breaksRule('the JSON body is nested too deep');
  if (typeof value === 'string') return writeText(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const margin = '  '.repeat(depth);
  const isList = Array.isArray(value);
  const [open, close] = isList ? '[]' : '{}';
  const members = isList
    ? value.map((member: unknown) => write(member, depth + 1))
    : sortedEntries(value).map(([key, member]) => `${writeText(key)}: ${write(member, depth + 1)}`);
  if (members.length === 0) return `${open}${close}`;
  return `${open}\n${members.map((member) => `${margin}  ${member}`).join(',\n')}\n${margin}${close}`;
}

/** Keys in byte order, which is not the order of UTF-16 code units. */
function sortedEntries(value: object): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Characters that Go escapes besides those that JSON must; lone surrogates become U+FFFD in Go. */
function writeText(text: string): string {
  return JSON.stringify(text.replace(/\p{Surrogate}/gu, '\ufffd')).replace(
    /\\b|\\f|[<>&\u2028\u2029]/g,
    (found) => `\\u${codeOf(found).toString(16).padStart(4, '0')}`,
  );
}

function codeOf(found: string): number {
  if (found === '\\b') return 8;
  return found === '\\f' ? 12 : found.charCodeAt(0);
}
