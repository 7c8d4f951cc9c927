import { isUtf8 } from 'node:buffer';
import { refuse } from './error.js';

/** A header value: text, or lists and maps of values. Numbers, times and booleans are text whose type gives it meaning. */
export type HeaderValue = string | HeaderList | HeaderMap;
export type HeaderList = readonly HeaderValue[];
/** A map without prototype, so that a header named `constructor` is just a header (assertions.md 17.6). */
export interface HeaderMap {
  readonly [name: string]: HeaderValue | undefined;
}
export type MutableHeaderMap = Record<string, HeaderValue>;

const NAME = /^[a-z](?:-?[a-z0-9])*$/;

export function isHeaderName(name: string): boolean {
  return NAME.test(name);
}

/** An object whose only ancestor is empty: as safe as one without prototype, and many times faster to fill in V8. */
const BareMap = function () {} as unknown as new () => MutableHeaderMap;
BareMap.prototype = Object.create(null) as object;

export function newHeaderMap(): MutableHeaderMap {
  return new BareMap();
}

/**
 * Parses a header block, without the blank line that ends it (assertions.md 1.3). Each line is looked at a bounded number
 * of times, so the cost is linear in the input.
 *
 * @throws AssertionError with code `not UTF-8`, `header syntax`, `invalid header or map key name` or
 * `repeated header or map key`
 */
export function parseHeaders(block: Uint8Array): MutableHeaderMap {
  if (!isUtf8(block)) {
    refuse('not UTF-8', 'the headers are not valid UTF-8', { rule: 'assertions.md 1.1' });
  }
  const bytes = Buffer.isBuffer(block) ? block : Buffer.from(block);
  return new HeaderParser(bytes.toString('utf8')).parse();
}

/** Walks over the text line by line; `start` and `end` are those of the current line. */
class HeaderParser {
  private start = 0;
  private end: number;

  constructor(private readonly text: string) {
    this.end = lineEnd(text, 0);
  }

  parse(): MutableHeaderMap {
    const headers = newHeaderMap();
    while (this.hasLine()) this.entry(headers, 0, 'header');
    return headers;
  }

  private hasLine(): boolean {
    return this.start <= this.text.length;
  }

  private nextLine(): void {
    this.start = this.end + 1;
    this.end = lineEnd(this.text, this.start);
  }

  /** One `name: value` entry whose name starts at column `column`. */
  private entry(into: MutableHeaderMap, column: number, what: 'header' | 'map entry'): void {
    const { text, start, end } = this;
    const colon = text.indexOf(':', start + column);
    // Looking past the line happens once at most, since it ends the parsing.
    if (colon === -1 || colon >= end) this.syntax(`${what} has no ":" between name and value`);
    const name = text.slice(start + column, colon);
    if (!NAME.test(name)) {
      refuse('invalid header or map key name', `${quote(name)} is not a valid ${what} name`, {
        rule: 'assertions.md 1.3',
      });
    }
    const value = this.value(colon + 1, column);
    if (into[name] !== undefined) {
      refuse('repeated header or map key', `${what} ${quote(name)} is given twice`, {
        header: name,
        rule: 'assertions.md 1.3',
      });
    }
    into[name] = value;
  }

  /** The value after the intro, which ends before `from`; `indent` is the base indent. */
  private value(from: number, indent: number): HeaderValue {
    const { text, start, end } = this;
    if (from < end) {
      if (text.charCodeAt(from) !== SPACE)
        this.syntax('a value must follow its name after one space');
      this.nextLine();
      return text.slice(from + 1, end);
    }
    this.nextLine();
    if (this.startsWithSpaces(indent + 2) && this.end > this.start + indent + 2) {
      const first = text.charCodeAt(this.start + indent + 2);
      if (first === DASH) return this.list(indent);
      if (first !== SPACE) return this.map(indent);
    }
    if (!this.startsWithSpaces(indent + 4)) {
      this.start = start;
      this.end = end;
      this.syntax(`a multi-line value needs lines that start with ${indent + 4} spaces`);
    }
    return this.lines(indent + 4);
  }

  /** The lines from here on that start with the margin, without it. */
  private lines(margin: number): string {
    const from = this.start + margin;
    let to = this.end;
    for (; this.startsWithSpaces(margin); this.nextLine()) to = this.end;
    return this.text.slice(from, to).replaceAll(`\n${' '.repeat(margin)}`, '\n');
  }

  private list(indent: number): HeaderList {
    const items: HeaderValue[] = [];
    while (
      this.startsWithSpaces(indent + 2) &&
      this.text.charCodeAt(this.start + indent + 2) === DASH
    ) {
      items.push(this.value(this.start + indent + 3, indent + 2));
    }
    return items;
  }

  private map(indent: number): HeaderMap {
    const map = newHeaderMap();
    while (this.startsWithSpaces(indent + 2)) this.entry(map, indent + 2, 'map entry');
    return map;
  }

  private startsWithSpaces(count: number): boolean {
    if (this.end - this.start < count) return false;
    for (let at = this.start; at < this.start + count; at += 1) {
      if (this.text.charCodeAt(at) !== SPACE) return false;
    }
    return true;
  }

  private syntax(problem: string): never {
    refuse('header syntax', `${problem}: ${quote(this.text.slice(this.start, this.end))}`, {
      rule: 'assertions.md 1.3',
    });
  }
}

const SPACE = 0x20;
const DASH = 0x2d;

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

/** Text for messages: quoted, with control characters escaped, and never longer than a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
