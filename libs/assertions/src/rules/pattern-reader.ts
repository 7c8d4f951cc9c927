/** A regular expression that cannot be understood. It never leaves the rules: they turn it into their own refusal. */
export class PatternSyntaxError extends Error {
  override readonly name = 'PatternSyntaxError';
}

export interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
}

/** Reads a pattern from left to right. */
export class PatternReader {
  private at = 0;
  private readonly lastPlaces = new Map<string, number>();

  constructor(private readonly source: string) {}

  get isAtEnd(): boolean {
    return this.at >= this.source.length;
  }

  sees(text: string): boolean {
    return this.source.startsWith(text, this.at);
  }

  /** Whether the next character is among these; false at the end. */
  seesOneOf(characters: string): boolean {
    return !this.isAtEnd && characters.includes(this.source.charAt(this.at));
  }

  take(text: string): boolean {
    const isThere = this.sees(text);
    if (isThere) this.at += text.length;
    return isThere;
  }

  /** Whether the text stands after the next two characters; searches once for all questions about the same text. */
  hasLater(text: string): boolean {
    let last = this.lastPlaces.get(text);
    if (last === undefined) this.lastPlaces.set(text, (last = this.source.lastIndexOf(text)));
    return last >= this.at + 2;
  }

  /** Takes what a sticky expression matches here. */
  match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at;
    const match = expression.exec(this.source);
    if (match !== null) this.at += match[0].length;
    return match;
  }

  /** The next character, as a whole code point. */
  next(): string {
    const code = this.source.codePointAt(this.at);
    if (code === undefined) throw new PatternSyntaxError('unexpected end');
    const char = String.fromCodePoint(code);
    this.at += char.length;
    return char;
  }
}

const CONTROLS: Readonly<Record<string, string>> = {
  a: '\x07',
  f: '\f',
  t: '\t',
  n: '\n',
  r: '\r',
  v: '\v',
};

/** An escape that stands for one character, backslash included. */
export function parseEscape(reader: PatternReader): string {
  const octal = reader.match(/\\(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/y);
  if (octal !== null) return String.fromCodePoint(parseInt(octal[0].slice(1), 8));
  const hex = reader.match(/\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})/y);
  if (hex !== null) {
    const code = parseInt(hex[1] ?? hex[2] ?? '', 16);
    if (code > 0x10ffff) throw new PatternSyntaxError('no such character');
    return String.fromCodePoint(code);
  }
  const control = reader.match(/\\([aftnrv])/y);
  if (control !== null) return CONTROLS[control[1] ?? ''] ?? '';
  const punctuation = reader.match(/\\([\x00-\x7f])/y);
  if (punctuation === null || /[0-9A-Za-z]/.test(punctuation[1] ?? ''))
    throw new PatternSyntaxError('invalid escape');
  return punctuation[1] ?? '';
}
