import { isMap, isScalar, parseDocument, visit } from 'yaml';
import type { Document } from 'yaml';
import { ReviewProblem } from './problem.js';

/** A YAML map whose scalars are all texts, as they stand: `version: 1.10` is the text `1.10`, as snapd reads it. */
export type YamlMap = ReadonlyMap<string, unknown>;

const MOST_ALIASES = 100;

/**
 * Parses YAML of a stranger; throws `ReviewProblem` with `code` when it is no UTF-8, no YAML, no map, or expands beyond reason.
 * The caller limits the length.
 */
export function parseYamlMap(bytes: Buffer, name: string, code: string): YamlMap {
  const refuse = (why: string, cause?: unknown): ReviewProblem =>
    new ReviewProblem(code, `cannot read ${name}: ${why}`, { cause });
  const text = decode(bytes, refuse);
  let value: unknown;
  try {
    // The library compares keys pairwise: 60,000 of them take a minute, so that check is ours.
    const document = parseDocument(text, {
      schema: 'failsafe',
      merge: true,
      uniqueKeys: false,
      logLevel: 'silent',
    });
    if (document.errors[0]) throw document.errors[0];
    refuseRepeatedKeys(document);
    value = document.toJS({ mapAsMap: true, maxAliasCount: MOST_ALIASES });
  } catch (error) {
    const [line = 'it is too deeply nested'] = (error instanceof Error ? error.message : '').split(
      '\n',
    );
    throw refuse(line, error);
  }
  const map = asMap(value);
  if (!map) throw refuse('it is not a map');
  return map;
}

function decode(bytes: Buffer, refuse: (why: string, cause: unknown) => ReviewProblem): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw refuse('it is not UTF-8', error);
  }
}

function refuseRepeatedKeys(document: Document): void {
  visit(document, {
    Map(_key, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? key.value : key;
        if (seen.has(name) && name !== '<<')
          throw new Error(`the key '${String(name)}' is repeated`);
        seen.add(name);
      }
      return isMap(map) ? undefined : visit.SKIP;
    },
  });
}

/** The value as a map whose keys are texts, or undefined. */
export function asMap(value: unknown): YamlMap | undefined {
  if (!(value instanceof Map)) return undefined;
  const map = value as Map<unknown, unknown>;
  return [...map.keys()].every((key) => typeof key === 'string') ? (map as YamlMap) : undefined;
}

/** A text, or undefined when absent or empty; anything else is a problem of `code`. */
export function textOf(map: YamlMap, key: string, code: string): string | undefined {
  const value = map.get(key);
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new ReviewProblem(code, `'${key}' is not a text`);
  return value;
}

/** A list of texts, empty when absent. */
export function textsOf(map: YamlMap, key: string, code: string): readonly string[] {
  const value = map.get(key);
  if (value === undefined || value === '') return [];
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === 'string')) {
    throw new ReviewProblem(code, `'${key}' is not a list of texts`);
  }
  return value;
}
