import { isMap, isScalar, isSeq, type Document, type LineCounter, type Node } from 'yaml';

export type Path = readonly (string | number)[];

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where the member of a path stands in the text; where it is missing, the nearest thing around it that is there. */
export function placeOf(document: Document, lines: LineCounter, path: Path): Place {
  let node: unknown = document.contents;
  let start = startOf(node) ?? 0;
  for (const step of path) {
    const found = child(node, step);
    if (found === null) break;
    start = found.start;
    node = found.node;
  }
  const { line, col } = lines.linePos(start);
  return { line, column: col };
}

function child(node: unknown, step: string | number): { node: unknown; start: number } | null {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    return pair === undefined ? null : { node: pair.value, start: startOf(pair.key) ?? 0 };
  }
  if (!isSeq(node)) return null;
  const item = node.items[Number(step)];
  return item === undefined ? null : { node: item, start: startOf(item) ?? 0 };
}

const startOf = (node: unknown): number | null => (node as Node | null)?.range?.[0] ?? null;

/** `waves[1].percent` in steps. */
export const stepsOf = (path: string): Path =>
  [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) =>
    index === undefined ? (name ?? '') : Number(index),
  );

/** Steps as text: `waves[1].percent`. */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`,
    '',
  );
