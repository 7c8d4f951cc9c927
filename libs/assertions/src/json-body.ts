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
  let at = 0;
  const differs = (): never =>
    breaksRule('the JSON body must be indented with two spaces, with its keys sorted');
  new CanonicalForm(text, (part) => {
    if (!text.startsWith(part, at)) differs();
    at += part.length;
  }).write(value);
  if (at !== text.length) differs();
}

/** The text of a value that `checkJsonBody` takes. */
export function writeJsonBody(value: unknown): string {
  const parts: string[] = [];
  new CanonicalForm(JSON.stringify(value), (part) => parts.push(part)).write(value);
  return parts.join('');
}

/** Says a value's one form, part by part. */
class CanonicalForm {
  /** Only characters outside the basic plane sort differently by code unit than by byte. */
  private readonly hasSurrogates: boolean;

  /** @param text the value in any form */
  constructor(
    text: string,
    private readonly say: (part: string) => void,
  ) {
    this.hasSurrogates = /\p{Surrogate}|[\u{10000}-\u{10ffff}]/u.test(text);
  }

  write(value: unknown, depth = 0): void {
    if (depth > MAX_DEPTH) breaksRule('the JSON body is nested too deep');
    if (typeof value === 'string') this.say(writeText(value));
    else if (typeof value === 'number') this.say(Object.is(value, -0) ? '-0' : String(value));
    else if (Array.isArray(value)) {
      this.members('[]', value, depth, (member) => this.write(member, depth + 1));
    } else if (typeof value === 'object' && value !== null) {
      this.members('{}', this.sortedEntries(value), depth, ([key, member]) => {
        this.say(`${writeText(key)}: `);
        this.write(member, depth + 1);
      });
    } else this.say(String(value));
  }

  private members<T>(
    brackets: string,
    members: readonly T[],
    depth: number,
    write: (member: T) => void,
  ): void {
    if (members.length === 0) {
      this.say(brackets);
      return;
    }
    this.say(brackets.charAt(0));
    const margin = `\n${'  '.repeat(depth)}`;
    for (const [index, member] of members.entries()) {
      this.say(index === 0 ? `${margin}  ` : `,${margin}  `);
      write(member);
    }
    this.say(`${margin}${brackets.charAt(1)}`);
  }

  private sortedEntries(value: object): [string, unknown][] {
    const entries = Object.entries(value);
    if (!this.hasSurrogates) return entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return entries
      .map((entry) => ({ entry, bytes: Buffer.from(entry[0]) }))
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
      .map(({ entry }) => entry);
  }
}

/** Characters that Go escapes besides those that JSON must; lone surrogates become U+FFFD in Go. */
function writeText(text: string): string {
  return JSON.stringify(text.replace(/\p{Surrogate}/gu, '\ufffd')).replace(
    // An escape is taken as a whole: the `b` of an escaped backslash and a `b` is none.
    /\\.|[<>&\u2028\u2029]/g,
    (found) =>
      GO_ESCAPES[found] ?? (found.startsWith('\\') ? found : hexEscape(found.charCodeAt(0))),
  );
}

const hexEscape = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;

const GO_ESCAPES: Readonly<Record<string, string>> = { '\\b': hexEscape(8), '\\f': hexEscape(12) };
