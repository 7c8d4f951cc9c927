import { AssertionError, contentToSign, decodeAssertion, parseTime } from '#libs/assertions';
import type { LintContext, Remark } from './finding.js';
import type { Source } from './source.js';

/** One thing to look at; each says whatever it finds. */
type Rule = (source: Source, context: LintContext) => readonly Remark[];

/** Clocks differ; a store's clock a few minutes behind must not make a model of the future. */
const PATIENCE_MS = 10 * 60_000;
const NO_KEY = 'A'.repeat(64);

/** In the order in which an author would look (assertions.md 9, model). */
export const RULES: readonly Rule[] = [form, authority, account, signedBy, time, snaps, serials];

const error = (path: Remark['path'], cause: string, remedy: string): Remark => ({
  severity: 'error',
  path,
  cause,
  remedy,
});
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** What the type itself demands: the first rule that is broken. */
function form({ headers, assertion }: Source): readonly Remark[] {
  if (assertion !== null)
    return assertion.type === 'model'
      ? []
      : [error(['type'], `this is a ${assertion.type}, no model`, 'give a model')];
  if (headers['type'] !== 'model')
    return [error(['type'], '"type" does not say model', 'write "type": "model"')];
  // Told in words of their own below.
  if (textOf(headers['authority-id']) !== textOf(headers['brand-id'])) return [];
  try {
    const { type: _type, body: _body, ...rest } = headers;
    // Read back as any client would: a signature is only looked at when it is verified.
    const content = contentToSign({ type: 'model', headers: rest }, NO_KEY);
    decodeAssertion(Buffer.concat([content, Buffer.from('\n\nAA==\n')]));
    return [];
  } catch (problem) {
    if (!(problem instanceof AssertionError)) throw problem;
    return [
      error(
        [problem.header ?? ''],
        problem.message,
        `see the rules for "${problem.header ?? 'models'}" (assertions.md 9)`,
      ),
    ];
  }
}

function authority({ headers }: Source): readonly Remark[] {
  const [authorityId, brandId] = [textOf(headers['authority-id']), textOf(headers['brand-id'])];
  if (authorityId === brandId) return [];
  const path = authorityId === '' ? ['brand-id'] : ['authority-id'];
  return [
    error(
      path,
      authorityId === '' ? '"authority-id" is missing' : 'authority-id and brand-id differ',
      `a brand signs its own models: write "authority-id": "${brandId || 'your account id'}"`,
    ),
  ];
}

function account({ headers }: Source, { accountId }: LintContext): readonly Remark[] {
  if (accountId === null || textOf(headers['brand-id']) === accountId) return [];
  return [
    error(['brand-id'], 'the brand is another account', `write your account id, ${accountId}`),
  ];
}

function signedBy({ headers, assertion }: Source, { keys }: LintContext): readonly Remark[] {
  if (assertion === null || keys === null) return [];
  const since = keys.get(assertion.signKeyId);
  if (since === undefined)
    return [
      error(
        ['sign-key-sha3-384'],
        'the key that signed it is not registered, or retired, or ended',
        'register the key, or sign with one that is (brandstore whoami, accountKeys)',
      ),
    ];
  const at = timestampOf(headers);
  if (at === null || at >= since) return [];
  return [
    error(
      ['timestamp'],
      `the timestamp lies before its key counts: ${since.toISOString()}`,
      'sign it anew with a later timestamp',
    ),
  ];
}

function time({ headers }: Source, { now }: LintContext): readonly Remark[] {
  const at = timestampOf(headers);
  if (at === null || at.getTime() <= now.getTime() + PATIENCE_MS) return [];
  return [
    error(
      ['timestamp'],
      `the timestamp lies in the future: ${at.toISOString()}`,
      `write the time of signing, such as ${now.toISOString().slice(0, 19)}Z`,
    ),
  ];
}

/** Null for what is no time: the type's own rule says so. */
function timestampOf(headers: Source['headers']): Date | null {
  const instant = parseTime(textOf(headers['timestamp']));
  return instant === null ? null : new Date(Number(instant / 1_000_000n));
}

/** Where a model names snaps, each with its path; tracks after "=" are no part of the name. */
function namedSnaps(headers: Source['headers']): { name: string; path: Remark['path'] }[] {
  const plain = ['gadget', 'kernel', 'base'].map((header) => ({
    name: textOf(headers[header]).split('=')[0] ?? '',
    path: [header],
  }));
  const required = listOf(headers['required-snaps']).map((name, at) => ({
    name: textOf(name),
    path: ['required-snaps', at],
  }));
  const extended = listOf(headers['snaps']).map((entry, at) => ({
    name: textOf((entry as { name?: unknown } | null)?.name),
    path: ['snaps', at],
  }));
  return [...plain, ...required, ...extended].filter(({ name }) => name !== '');
}

function snaps({ headers }: Source, { snapsOf }: LintContext): readonly Remark[] {
  if (snapsOf === null) return [];
  const storeId = textOf(headers['store']);
  const known = snapsOf(storeId);
  if (known === null)
    return [error(['store'], `store "${storeId}" is not yours`, 'name one of your stores')];
  return namedSnaps(headers)
    .filter(({ name }) => !known.has(name))
    .map(({ name, path }) =>
      error(
        path,
        `snap "${name}" does not exist for devices of this store`,
        'correct the name, release the snap, or include it in the store',
      ),
    );
}

/** Models from before serial-authority are models all the same (decisions 17). */
function serials({ headers }: Source): readonly Remark[] {
  if (headers['serial-authority'] !== undefined) return [];
  return [
    {
      severity: 'note',
      path: [],
      cause: 'no "serial-authority": only the brand itself can sign serials',
      remedy:
        "for generic serials list the operator's generic account there; with a vault leave it",
    },
  ];
}
