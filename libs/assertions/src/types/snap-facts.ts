import { header, type Assertion } from '../assertion.js';
import { refuse } from '../error.js';
import type { HeaderMap } from '../headers.js';
import { ACCOUNT_ID, SERIES } from '../names.js';
import {
  badTime,
  breaksRule,
  mapList,
  matchingText,
  optionalBoolean,
  optionalTime,
  checkPositive,
  requiredText,
  requiredTime,
  sha3Digest,
  unsigned,
} from '../values.js';
import { defineType } from './assertion-type.js';
import {
  accountExists,
  accountIdExists,
  accountRef,
  declarationOf,
  declarationRef,
} from './shared.js';

export const snapBuildType = defineType({
  name: 'snap-build',
  primaryKey: ['snap-sha3-384'],
  hasTimestamp: true,
  check({ headers }) {
    sha3Digest(headers, 'snap-sha3-384');
    requiredText(headers, 'snap-id');
    requiredText(headers, 'grade');
    unsigned(headers, 'snap-size');
    requiredTime(headers, 'timestamp');
  },
});

export const validationType = defineType({
  name: 'validation',
  primaryKey: ['series', 'snap-id', 'approved-snap-id', 'approved-snap-revision'],
  hasTimestamp: true,
  check({ headers }) {
    checkPositive(headers, 'approved-snap-revision');
    optionalBoolean(headers, 'revoked');
    requiredTime(headers, 'timestamp');
  },
  prerequisites: (assertion) => [
    declarationRef(header(assertion, 'series'), header(assertion, 'snap-id')),
    declarationRef(header(assertion, 'series'), header(assertion, 'approved-snap-id')),
  ],
  consistency(assertion, lookup) {
    const series = header(assertion, 'series');
    declarationOf(assertion, series, 'approved-snap-id', lookup);
    const gating = declarationOf(assertion, series, 'snap-id', lookup);
    const publisher = header(gating, 'publisher-id');
    if (publisher === assertion.authorityId) return;
    refuse(
      'authority not allowed to sign this',
      `validation is signed by account ${assertion.authorityId ?? ''}, only ${publisher}, publisher of the gating snap, may sign it`,
      { header: 'authority-id', rule: 'assertions.md 9, validation' },
    );
  },
});

export const snapDeveloperType = defineType({
  name: 'snap-developer',
  primaryKey: ['snap-id', 'publisher-id'],
  check: ({ headers }) => void developerIds(headers),
  prerequisites: (assertion) => [
    declarationRef(SERIES, header(assertion, 'snap-id')),
    ...[...accountsOf(assertion)].map(accountRef),
  ],
  consistency(assertion, lookup) {
    const publisher = header(assertion, 'publisher-id');
    const authority = assertion.authorityId ?? '';
    if (!lookup.isTrustedAccount(authority) && publisher !== authority) {
      refuse(
        'authority not allowed to sign this',
        `snap-developer is signed by account ${authority}, only the publisher ${publisher} or a trusted account may sign it`,
        { header: 'authority-id', rule: 'assertions.md 9, snap-developer' },
      );
    }
    declarationOf(assertion, SERIES, 'snap-id', lookup);
    accountExists(assertion, 'publisher-id', lookup);
    for (const id of accountsOf(assertion)) accountIdExists(assertion, id, 'developers', lookup);
  },
});

/** The publisher and all developers, each once. */
function accountsOf(assertion: Assertion): ReadonlySet<string> {
  return new Set([header(assertion, 'publisher-id'), ...developerIds(assertion.headers)]);
}

function developerIds(headers: HeaderMap): readonly string[] {
  const revokedById = new Map<string, boolean>();
  let number = 0;
  for (const entry of mapList(headers, 'developers')) {
    number += 1;
    const where = `in "developers" item ${number}`;
    const id = matchingText(entry, 'developer-id', ACCOUNT_ID, where);
    const since = requiredTime(entry, 'since', where);
    const until = optionalTime(entry, 'until', where);
    if (until !== undefined && until < since)
      badTime(`"until" ${where} must not be before "since"`, 'developers');
    const isRevoked = since === until;
    const before = revokedById.get(id);
    if (before !== undefined && (before || isRevoked)) {
      breaksRule(`developer "${id}" is revoked by an item that must be the only one`, 'developers');
    }
    revokedById.set(id, isRevoked);
  }
  return [...revokedById.keys()];
}
