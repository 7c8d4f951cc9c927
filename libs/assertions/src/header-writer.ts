import { refuse } from './error.js';
import { isHeaderName, quote, type HeaderMap, type HeaderValue } from './headers.js';

/**
 * Writes headers in the form of assertions.md 1.7, one entry per name in the order given, without final newline. Empty
 * lists and maps are left out, wherever they stand.
 */
export function writeHeaders(
  headers: HeaderMap,
  names: readonly string[] = sortedNames(headers),
): string {
  const lines: string[] = [];
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) writeEntry(lines, `${name}:`, value, 0);
  }
  return lines.join('\n');
}

function writeEntry(lines: string[], intro: string, value: HeaderValue, indent: number): void {
  if (typeof value === 'string') {
    if (!value.includes('\n')) {
      lines.push(`${intro} ${value}`);
      return;
    }
    const margin = ' '.repeat(indent + 4);
    lines.push(intro, ...value.split('\n').map((line) => margin + line));
    return;
  }
  const margin = ' '.repeat(indent + 2);
  if (isList(value)) {
    if (value.length === 0) return;
    lines.push(intro);
    for (const item of value) writeEntry(lines, `${margin}-`, item, indent + 2);
    return;
  }
  const names = sortedNames(value);
  if (names.length === 0) return;
  lines.push(intro);
  for (const name of names) {
    const member = value[name];
    if (member !== undefined) writeEntry(lines, `${margin}${name}:`, member, indent + 2);
  }
}

/** Names sorted as bytes; they are plain ASCII, so code unit order is byte order. */
function sortedNames(map: HeaderMap): string[] {
  return Object.keys(map).sort();
}

export function isList(value: HeaderValue): value is readonly HeaderValue[] {
  return Array.isArray(value);
}

/**
 * Refuses values that would not be read back as given: names that break the pattern, and lists or maps that come out
 * empty although they have members (assertions.md 1.7).
 */
export function assertWritable(headers: HeaderMap): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    assertName(name, name);
    assertValueWritable(value, name);
  }
}

function assertValueWritable(value: HeaderValue, header: string): void {
  if (typeof value === 'string') return;
  const members = isList(value) ? value : Object.values(value);
  if (members.length > 0 && members.every((member) => member === undefined || isDropped(member))) {
    refuse(
      'header syntax',
      `header "${header}" has a list or map whose members are all empty: it cannot be read back`,
      {
        header,
        rule: 'assertions.md 1.7',
      },
    );
  }
  if (!isList(value)) for (const name of Object.keys(value)) assertName(name, header);
  for (const member of members) if (member !== undefined) assertValueWritable(member, header);
}

function isDropped(value: HeaderValue): boolean {
  return typeof value !== 'string' && Object.keys(value).length === 0;
}

function assertName(name: string, header: string): void {
  if (isHeaderName(name)) return;
  refuse('invalid header or map key name', `${quote(name)} is not a valid header name`, {
    header,
    rule: 'assertions.md 1.2',
  });
}
