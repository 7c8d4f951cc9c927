import { header, type Assertion } from '../assertion.js';
import { refuse } from '../error.js';
import { quote, type HeaderMap } from '../headers.js';
import type { Lookup } from '../lookup.js';
import { MODEL } from '../names.js';
import { breaksRule, matchingText } from '../values.js';
import type { Ref } from './assertion-type.js';

/** Model names are lower case for now (assertions.md 2). */
export function modelName(headers: HeaderMap): string {
  const model = matchingText(headers, 'model', MODEL);
  if (model !== model.toLowerCase())
    breaksRule('"model" must not contain upper-case letters', 'model');
  return model;
}

/** Types that a brand or another named account says about itself must be signed by it. */
export function authorityIs(assertion: Assertion, named: string): void {
  const owner = header(assertion, named);
  if (assertion.authorityId === owner) return;
  refuse(
    'authority-id does not match the brand or account named in the assertion',
    `${assertion.type} is signed by account ${assertion.authorityId ?? ''}, but it speaks for ${owner} ("${named}"), which must sign it itself`,
    { header: named, rule: `assertions.md 9, ${assertion.type}` },
  );
}

/** Types that only the store's own, directly trusted accounts may sign (assertions.md 12). */
export function signedByTrustedAccount(assertion: Assertion, lookup: Lookup): void {
  const authority = assertion.authorityId ?? '';
  if (lookup.isTrustedAccount(authority)) return;
  refuse(
    'authority not allowed to sign this',
    `${assertion.type} is signed by account ${authority}, only a directly trusted account may sign it`,
    { header: 'authority-id', rule: `assertions.md 9, ${assertion.type}` },
  );
}

export function accountRef(accountId: string): Ref {
  return { type: 'account', primaryKey: [accountId] };
}

export function declarationRef(series: string, snapId: string): Ref {
  return { type: 'snap-declaration', primaryKey: [series, snapId] };
}

/** The account that a header names must be in the database. */
export function accountExists(assertion: Assertion, headerName: string, lookup: Lookup): void {
  accountIdExists(assertion, header(assertion, headerName), headerName, lookup);
}

export function accountIdExists(
  assertion: Assertion,
  accountId: string,
  headerName: string,
  lookup: Lookup,
): void {
  if (lookup.find('account', [accountId]) !== undefined) return;
  refuse(
    'prerequisite assertion missing',
    `${assertion.type} names account ${quote(accountId)} as "${headerName}", but there is no account assertion for it`,
    { header: headerName, rule: `assertions.md 9, ${assertion.type}` },
  );
}

export function declarationOf(
  assertion: Assertion,
  series: string,
  headerName: string,
  lookup: Lookup,
): Assertion {
  const snapId = header(assertion, headerName);
  const declaration = lookup.find('snap-declaration', [series, snapId]);
  if (declaration !== undefined) return declaration;
  refuse(
    'prerequisite assertion missing',
    `${assertion.type} is about snap id ${quote(snapId)}, but there is no snap-declaration for it`,
    { header: headerName, rule: `assertions.md 9, ${assertion.type}` },
  );
}
