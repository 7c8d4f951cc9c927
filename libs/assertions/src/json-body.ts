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
  new CanonicalForm(text).expectWhole(value);
}

/** Walks through a value and its text side by side, and stops at the first difference. */
class CanonicalForm {
  private at = 0;
  /** Only characters outside the basic plane sort differently by code unit than by byte. */
  private readonly hasSurrogates: boolean;

  constructor(private readonly text: string) {
    this.hasSurrogates = /\p{Surrogate}|[\u{10000}-\u{10ffff}]/u.test(text);
  }

  expectWhole(value: unknown): void {
    this.value(value, 0);
    if (this.at !== this.text.length) this.differs();
  }

  private value(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) breaksRule('the JSON body is nested too deep');
    if (typeof value === 'string') this.expect(writeText(value));
    else if (typeof value === 'number') this.expect(Object.is(value, -0) ? '-0' : String(value));
    else if (Array.isArray(value)) {
      this.members('[]', value, depth, (member) => this.value(member, depth + 1));
    } else if (typeof value === 'object' && value !== null) {
      this.members('{}', this.sortedEntries(value), depth, ([key, member]) => {
        this.expect(`${writeText(key)}: `);
        this.value(member, depth + 1);
      });
    } else this.expect(String(value));
  }

  private members<T>(
    brackets: string,
    members: readonly T[],
    depth: number,
    write: (member: T) => void,
  ): void {
    if (members.length === 0) {
      this.expect(brackets);
      return;
    }
    this.expect(brackets.charAt(0));
    const margin = `\n${'  '.repeat(depth)}`;
    for (const [index, member] of members.entries()) {
      this.expect(index === 0 ? `${margin}  ` : `,${margin}  `);
      write(member);
    }
    this.expect(`${margin}${brackets.charAt(1)}`);
  }

  private sortedEntries(value: object): [string, unknown][] {
    const entries = Object.entries(value);
    if (!this.hasSurrogates) return entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return entries
      .map((entry) => ({ entry, bytes: Buffer.from(entry[0]) }))
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
      .map(({ entry }) => entry);
  }

  private expect(part: string): void {
    if (!this.text.startsWith(part, this.at)) this.differs();
    this.at += part.length;
  }

  private differs(): never {
    breaksRule('the JSON body must be indented with two spaces, with its keys sorted');
  }
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
