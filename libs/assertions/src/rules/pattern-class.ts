import {
  parseEscape,
  PatternSyntaxError,
  type Flags,
  type PatternReader,
} from './pattern-reader.js';

/** Whether one character, a whole code point, is meant. */
export type CharTest = (char: string) => boolean;

/** Named classes as sources of JavaScript classes over ASCII. */
const PERL: Readonly<Record<string, string>> = { d: '0-9', s: '\\t\\n\\f\\r ', w: '0-9A-Za-z_' };
const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-/:-@[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

/** Reads what follows `[`, up to and with `]`. */
export function parseClass(reader: PatternReader, flags: Flags): CharTest {
  const isNegated = reader.take('^');
  const tests: CharTest[] = [];
  for (let isFirst = true; isFirst || !reader.sees(']'); isFirst = false) {
    tests.push(parsePosix(reader) ?? parseEscapedClass(reader, flags) ?? parseRange(reader));
  }
  reader.take(']');
  const isIn: CharTest = (char) => tests.some((test) => test(char));
  const positive = flags.ignoreCase ? folded(isIn) : isIn;
  return isNegated ? (char) => !positive(char) : positive;
}

/** `\d`, `\pL`, `\p{Greek}` and their negations; undefined if something else stands here. */
export function parseEscapedClass(
  reader: PatternReader,
  { ignoreCase }: Flags,
): CharTest | undefined {
  if (!reader.sees('\\')) return undefined;
  const perl = reader.match(/\\([dsw])/iy);
  if (perl !== null) {
    const letter = perl[1] ?? '';
    return asciiClass(PERL[letter.toLowerCase()] ?? '', letter !== letter.toLowerCase());
  }
  const unicode = reader.match(/\\([pP])(?:\{(\^?)([^}]*)\}|(\^?)([A-Za-z]))/y);
  if (unicode === null) return undefined;
  const isNegated = (unicode[1] === 'P') !== ((unicode[2] ?? unicode[4]) === '^');
  const positive = unicodeClass(unicode[3] ?? unicode[5] ?? '');
  const test = ignoreCase ? folded(positive) : positive;
  return isNegated ? (char) => !test(char) : test;
}

/** The test for a character or its other case. */
function folded(test: CharTest): CharTest {
  return (char) => test(char) || test(char.toLowerCase()) || test(char.toUpperCase());
}

function parsePosix(reader: PatternReader): CharTest | undefined {
  if (!reader.sees('[:')) return undefined;
  const match = reader.match(/\[:(\^?)([a-z]{0,10}):\]/y);
  const name = match?.[2] ?? '';
  const source = Object.hasOwn(POSIX, name) ? POSIX[name] : undefined;
  if (source !== undefined) return asciiClass(source, match?.[1] === '^');
  // Without any ":]" to come, the bracket and the colon are ordinary characters.
  if (match === null && !reader.hasLater(':]')) return undefined;
  throw new PatternSyntaxError('unknown class');
}

function asciiClass(source: string, isNegated: boolean): CharTest {
  const expression = new RegExp(`^[${source}]$`);
  return (char) => expression.test(char) !== isNegated;
}

/** General categories by their short name, scripts by their long one. */
function unicodeClass(name: string): CharTest {
  if (name === 'Any') return () => true;
  const source = /^[A-Z][a-z]?$/.test(name) ? name : `Script=${name}`;
  if (!/^[A-Za-z_=]+$/.test(source)) throw new PatternSyntaxError('unknown class');
  let expression: RegExp;
  try {
    expression = new RegExp(`^\\p{${source}}$`, 'u');
  } catch {
    throw new PatternSyntaxError('unknown class');
  }
  return (char) => expression.test(char);
}

function parseRange(reader: PatternReader): CharTest {
  const low = classChar(reader);
  const isRange = reader.match(/-(?=[^\]])/y) !== null;
  const high = isRange ? classChar(reader) : low;
  const [from = 0, to = 0] = [low.codePointAt(0), high.codePointAt(0)];
  if (to < from) throw new PatternSyntaxError('invalid range');
  return (char) => {
    const code = char.codePointAt(0) ?? -1;
    return from <= code && code <= to;
  };
}

function classChar(reader: PatternReader): string {
  if (reader.isAtEnd) throw new PatternSyntaxError('missing ]');
  return reader.sees('\\') ? parseEscape(reader) : reader.next();
}
