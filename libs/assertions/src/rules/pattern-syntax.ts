import { parseClass, parseEscapedClass, type CharTest } from './pattern-class.js';
import { PatternReader, parseEscape, PatternSyntaxError, type Flags } from './pattern-reader.js';

/** A parsed regular expression; `weight` is how often nested repeats multiply its innermost part, at most. */
export type Node = { readonly weight: number } & (
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'assert'; readonly place: Place }
  | { readonly kind: 'sequence' | 'either'; readonly nodes: readonly Node[] }
  /** `max` is undefined for no limit. */
  | {
      readonly kind: 'repeat';
      readonly node: Node;
      readonly min: number;
      readonly max: number | undefined;
    }
);

/** Where a position must be. */
export type Place =
  'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word-edge' | 'no-word-edge';

const MAX_DEPTH = 1000;
const MAX_REPEAT = 1000;

/**
 * Parses the syntax of Go's regexp package (RE2 with Perl flags), which declarations and key constraints use: no
 * look-around, no back-references, one meaning everywhere.
 *
 * @throws PatternSyntaxError
 */
export function parsePattern(source: string): Node {
  const parser = new PatternParser(new PatternReader(source));
  return parser.parse();
}

class PatternParser {
  private readonly names = new Set<string>();
  /** One node for each character, however often it stands. */
  private readonly literals = new Map<string, Node>();
  private flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false };

  constructor(private readonly reader: PatternReader) {}

  parse(): Node {
    const node = this.alternatives(0);
    if (!this.reader.isAtEnd) throw new PatternSyntaxError('unexpected )');
    return node;
  }

  private alternatives(depth: number): Node {
    if (depth > MAX_DEPTH) throw new PatternSyntaxError('nested too deep');
    const outer = this.flags;
    const nodes = [this.sequence(depth)];
    while (this.reader.take('|')) nodes.push(this.sequence(depth));
    this.flags = outer;
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : joined('either', nodes);
  }

  private sequence(depth: number): Node {
    const nodes: Node[] = [];
    let isAfterRepeat = false;
    while (!this.reader.isAtEnd && !this.reader.seesOneOf('|)')) {
      const count = this.reader.seesOneOf('*+?{') ? this.repeatCount() : undefined;
      if (count === undefined) {
        this.atom(nodes, depth);
        isAfterRepeat = false;
        continue;
      }
      const node = nodes.pop();
      if (node === undefined || isAfterRepeat) throw new PatternSyntaxError('nothing to repeat');
      this.reader.take('?'); // lazy or not makes no difference for whether a text matches
      // "No limit" counts as its minimum, as in the reference.
      const weight = node.weight * Math.max(1, count.max ?? count.min);
      if (weight > MAX_REPEAT) throw new PatternSyntaxError('repeats too often');
      nodes.push({ kind: 'repeat', node, weight, ...count });
      isAfterRepeat = true;
    }
    return joined('sequence', nodes);
  }

  /** Reads `*`, `+`, `?` or `{n,m}`; a brace of another form is an ordinary character. */
  private repeatCount(): { min: number; max: number | undefined } | undefined {
    if (this.reader.take('*')) return { min: 0, max: undefined };
    if (this.reader.take('+')) return { min: 1, max: undefined };
    if (this.reader.take('?')) return { min: 0, max: 1 };
    const match = this.reader.match(/\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/y);
    if (match === null) return undefined;
    const min = Number(match[1]);
    const max =
      match[2] === undefined ? min : match[3] === undefined ? undefined : Number(match[3]);
    if (min > MAX_REPEAT || (max ?? 0) > MAX_REPEAT || (max !== undefined && max < min)) {
      throw new PatternSyntaxError('invalid repeat count');
    }
    return { min, max };
  }

  private atom(nodes: Node[], depth: number): void {
    const { reader } = this;
    const plain = reader.match(PLAIN_CHARACTERS);
    if (plain !== null) {
      for (const char of plain[0]) nodes.push(this.literal(char));
    } else if (reader.take('(')) {
      const group = this.group(depth);
      if (group !== undefined) nodes.push(group);
    } else if (reader.take('[')) nodes.push(character(parseClass(reader, this.flags)));
    else if (reader.take('.')) nodes.push(character(this.flags.dotAll ? any : notNewline));
    else if (reader.take('^'))
      nodes.push(assertion(this.flags.multiLine ? 'line-start' : 'text-start'));
    else if (reader.take('$'))
      nodes.push(assertion(this.flags.multiLine ? 'line-end' : 'text-end'));
    else if (reader.sees('\\')) this.escape(nodes);
    else nodes.push(this.literal(reader.next()));
  }

  /** What follows `(`; undefined for a group that only sets flags, which hold to the end of the group around it. */
  private group(depth: number): Node | undefined {
    const named = this.reader.match(/\?P<([^>]*)>/y);
    if (named !== null) this.addName(named[1] ?? '');
    else if (this.reader.take('?')) {
      const inner = this.newFlags();
      if (this.reader.take(')')) {
        this.flags = inner;
        return undefined;
      }
      if (!this.reader.take(':')) throw new PatternSyntaxError('invalid group');
      const outer = this.flags;
      this.flags = inner;
      const node = this.closed(depth);
      this.flags = outer;
      return node;
    }
    return this.closed(depth);
  }

  private closed(depth: number): Node {
    const node = this.alternatives(depth + 1);
    if (!this.reader.take(')')) throw new PatternSyntaxError('missing )');
    return node;
  }

  private addName(name: string): void {
    if (!/^\w+$/.test(name) || this.names.has(name))
      throw new PatternSyntaxError('invalid group name');
    this.names.add(name);
  }

  private newFlags(): Flags {
    const match = this.reader.match(/([imsU]*)(?:-([imsU]+))?(?=[:)])/y);
    if (match === null) throw new PatternSyntaxError('invalid flags');
    const [, on = '', off = ''] = match;
    const flag = (letter: string, before: boolean): boolean =>
      (before || on.includes(letter)) && !off.includes(letter);
    return {
      ignoreCase: flag('i', this.flags.ignoreCase),
      multiLine: flag('m', this.flags.multiLine),
      dotAll: flag('s', this.flags.dotAll),
    };
  }

  private escape(nodes: Node[]): void {
    const { reader } = this;
    const quoted = reader.match(/\\Q(.*?)(?:\\E|$)/sy);
    if (quoted !== null) {
      for (const char of quoted[1] ?? '') nodes.push(this.literal(char));
      return;
    }
    for (const [text, place] of ESCAPED_PLACES) {
      if (!reader.take(text)) continue;
      nodes.push(assertion(place));
      return;
    }
    const test = parseEscapedClass(reader, this.flags);
    nodes.push(test === undefined ? this.literal(parseEscape(reader)) : character(test));
  }

  private literal(char: string): Node {
    const { ignoreCase } = this.flags;
    const known = this.literals.get(ignoreCase ? `i${char}` : char);
    if (known !== undefined) return known;
    const folded = char.toLowerCase();
    const node = character(
      (other) => other === char || (ignoreCase && other.toLowerCase() === folded),
    );
    this.literals.set(ignoreCase ? `i${char}` : char, node);
    return node;
  }
}

/** Characters that mean themselves and that no repeat can follow unseen; the last one of a run may still be repeated. */
const PLAIN_CHARACTERS = /[^\\.+*?()|[\]{}^$]+/y;

const ESCAPED_PLACES: readonly (readonly [string, Place])[] = [
  ['\\A', 'text-start'],
  ['\\z', 'text-end'],
  ['\\b', 'word-edge'],
  ['\\B', 'no-word-edge'],
];

const any: CharTest = () => true;
const notNewline: CharTest = (char) => char !== '\n';

function assertion(place: Place): Node {
  return { kind: 'assert', place, weight: 1 };
}

function character(test: CharTest): Node {
  return { kind: 'char', test, weight: 1 };
}

function joined(kind: 'sequence' | 'either', nodes: readonly Node[]): Node {
  return { kind, nodes, weight: nodes.reduce((most, { weight }) => Math.max(most, weight), 1) };
}
