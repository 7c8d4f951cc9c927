import { LineCounter, isNode, parseDocument } from 'yaml';
import { AssertionError, decodeAssertion, type Assertion } from '#libs/assertions';
import type { Finding } from './finding.js';

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A model as it was written, with the way back from a header to its place. */
export interface Source {
  readonly headers: Readonly<Record<string, unknown>>;
  /** Null: a draft. */
  readonly assertion: Assertion | null;
  place(path: readonly (string | number)[]): Place;
}

const START: Place = { line: 1, column: 1 };

/** Reads a draft or an assertion, or says in one finding why it cannot be read. */
export function readSource(text: string): Source | Finding {
  return text.trimStart().startsWith('type:') ? readAssertion(text) : readDraft(text);
}

/** The JSON that `snap sign` takes: strictly JSON, because that is what it takes. */
function readDraft(text: string): Source | Finding {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const value = parseJson(text);
  if (value instanceof SyntaxError) return syntaxFinding(text, value);
  const twice = document.errors.find(({ code }) => code === 'DUPLICATE_KEY');
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  if (twice) return unreadable(at(twice.pos[0]), 'a header is there twice', 'keep one of the two');
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return unreadable(START, 'the text is no JSON object', 'write headers and values in { … }');
  const place = (path: readonly (string | number)[]): Place => {
    const node: unknown = document.getIn(path, true);
    if (isNode(node) && node.range) return at(node.range[0]);
    return path.length > 0 ? place(path.slice(0, -1)) : START;
  };
  return { headers: { ...value }, assertion: null, place };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return error;
  }
}

/** Node says where by an offset in its message; a missing comma is shown where it belongs, not at what follows. */
function syntaxFinding(text: string, { message }: SyntaxError): Finding {
  const offset = Number(/at position (\d+)/.exec(message)?.[1] ?? text.length);
  const before = text.slice(0, offset);
  const isCommaMissing = /^Expected ','/.test(message) && /["\d}\]el]\s*$/.test(before);
  const place = placeAt(isCommaMissing ? before.trimEnd() : before);
  if (isCommaMissing && /["\d{[]/.test(text.charAt(offset)))
    return unreadable(place, 'a comma is missing here', 'put a comma between the two entries');
  const what = message.replace(/ in JSON at position.*| \(line.*/s, '');
  return unreadable(
    place,
    `the JSON cannot be read: ${what}`,
    'correct it: no comments, no comma after the last entry, double quotes',
  );
}

function placeAt(before: string): Place {
  const lines = before.split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}

function readAssertion(text: string): Source | Finding {
  const lines = text.split('\n');
  const place = ([header, item]: readonly (string | number)[]): Place => {
    const index = lines.findIndex((line) => line.startsWith(`${String(header)}:`));
    if (index < 0) return START;
    return { line: index + 1 + (typeof item === 'number' ? item + 1 : 0), column: 1 };
  };
  try {
    const assertion = decodeAssertion(Buffer.from(text));
    return { headers: assertion.headers, assertion, place };
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    const found = place([error.header ?? '']);
    return unreadable(found, error.message, 'sign it anew from a correct draft', error.header);
  }
}

const unreadable = (
  place: Place,
  cause: string,
  remedy: string,
  header: string | null = null,
): Finding => ({ severity: 'error', ...place, header, cause, remedy });
