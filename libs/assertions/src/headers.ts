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

export function newHeaderMap(): MutableHeaderMap {
  return Object.create(null) as MutableHeaderMap;
}

/**
 * Parses a header block, without the blank line that ends it (assertions.md 1.3). Each line is looked at a bounded number
 * of times, so the cost is linear in the input.
 *
 * @throws AssertionError with code `not UTF-8`, `header syntax`, `invalid header or map key name` or
 * `repeated header or map key`
 */
export function parseHeaders(block: Uint8Array): MutableHeaderMap {
  if (!isUtf8(block))
    refuse('not UTF-8', 'the headers are not valid UTF-8', { rule: 'assertions.md 1.1' });
  const text = Buffer.from(block.buffer, block.byteOffset, block.byteLength).toString('utf8');
  return new HeaderParser(text.split('\n')).parse();
}

class HeaderParser {
  private at = 0;

  constructor(private readonly lines: readonly string[]) {}

  parse(): MutableHeaderMap {
    const headers = newHeaderMap();
    while (this.at < this.lines.length) this.entry(headers, 0, 'header');
    return headers;
  }

  private line(): string | undefined {
    return this.lines[this.at];
  }

  /** One `name: value` entry whose name starts at column `column`. */
  private entry(into: MutableHeaderMap, column: number, what: 'header' | 'map entry'): void {
    const line = this.line() ?? '';
    const colon = line.indexOf(':', column);
    if (colon === -1) syntax(`${what} has no ":" between name and value`, line);
    const name = line.slice(column, colon);
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

  /** The value after the intro, which ends at column `from` of the current line; `indent` is the base indent. */
  private value(from: number, indent: number): HeaderValue {
    const line = this.line() ?? '';
    this.at += 1;
    if (from < line.length) {
      if (line.charCodeAt(from) !== 0x20)
        syntax('a value must follow its name after one space', line);
      return line.slice(from + 1);
    }
    const next = this.line();
    if (next !== undefined && startsWithSpaces(next, indent + 2) && next.length > indent + 2) {
      const first = next.charCodeAt(indent + 2);
      if (first === 0x2d) return this.list(indent);
      if (first !== 0x20) return this.map(indent);
    }
    return this.text(indent, line);
  }

  private text(indent: number, intro: string): string {
    const start = this.at;
    while (this.at < this.lines.length && startsWithSpaces(this.lines[this.at] ?? '', indent + 4)) {
      this.at += 1;
    }
    if (this.at === start) {
      syntax(`a multi-line value needs lines that start with ${indent + 4} spaces`, intro);
    }
    return this.lines
      .slice(start, this.at)
      .map((line) => line.slice(indent + 4))
      .join('\n');
  }

  private list(indent: number): HeaderList {
    const items: HeaderValue[] = [];
    for (let line = this.line(); line !== undefined; line = this.line()) {
      if (!startsWithSpaces(line, indent + 2) || line.charCodeAt(indent + 2) !== 0x2d) break;
      items.push(this.value(indent + 3, indent + 2));
    }
    return items;
  }

  private map(indent: number): HeaderMap {
    const map = newHeaderMap();
    for (let line = this.line(); line !== undefined; line = this.line()) {
      if (!startsWithSpaces(line, indent + 2)) break;
      this.entry(map, indent + 2, 'map entry');
    }
    return map;
  }
}

function startsWithSpaces(line: string, count: number): boolean {
  if (line.length < count) return false;
  for (let i = 0; i < count; i += 1) if (line.charCodeAt(i) !== 0x20) return false;
  return true;
}

function syntax(problem: string, line: string): never {
  refuse('header syntax', `${problem}: ${quote(line)}`, { rule: 'assertions.md 1.3' });
}

/** Text for messages: quoted, with control characters escaped, and never longer than a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
