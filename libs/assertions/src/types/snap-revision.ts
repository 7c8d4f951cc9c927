import { header, type Assertion } from '../assertion.js';
import { refuse } from '../error.js';
import type { HeaderMap } from '../headers.js';
import type { Lookup } from '../lookup.js';
import { DEFAULT_PROVENANCE, isSnapName, PROVENANCE, SERIES } from '../names.js';
import {
  breaksRule,
  existingText,
  hexDigest,
  mapList,
  matchingText,
  checkPositive,
  requiredText,
  requiredTime,
  sha3Digest,
  unsigned,
} from '../values.js';
import { defineType } from './assertion-type.js';
import {
  accountExists,
  accountRef,
  declarationOf,
  declarationRef,
  signedByTrustedAccount,
} from './shared.js';
import { revisionAuthoritiesOf } from './snap-declaration.js';

export const snapRevisionType = defineType({
  name: 'snap-revision',
  primaryKey: ['snap-sha3-384', 'provenance'],
  optionalKeys: { provenance: DEFAULT_PROVENANCE },
  hasTimestamp: true,
  check({ headers }) {
    sha3Digest(headers, 'snap-sha3-384');
    matchingText(headers, 'provenance', PROVENANCE);
    requiredText(headers, 'snap-id');
    unsigned(headers, 'snap-size');
    checkPositive(headers, 'snap-revision');
    requiredText(headers, 'developer-id');
    requiredTime(headers, 'timestamp');
    checkIntegrity(headers);
  },
  prerequisites: (assertion) => [
    declarationRef(SERIES, header(assertion, 'snap-id')),
    accountRef(header(assertion, 'developer-id')),
  ],
  consistency: (assertion, lookup) => mayRevise(assertion, 'snap-revision', lookup),
});

export const snapResourceRevisionType = defineType({
  name: 'snap-resource-revision',
  primaryKey: ['snap-id', 'resource-name', 'resource-sha3-384', 'provenance'],
  optionalKeys: { provenance: DEFAULT_PROVENANCE },
  hasTimestamp: true,
  check({ headers }) {
    resourceName(headers);
    sha3Digest(headers, 'resource-sha3-384');
    matchingText(headers, 'provenance', PROVENANCE);
    unsigned(headers, 'resource-size');
    checkPositive(headers, 'resource-revision');
    requiredText(headers, 'developer-id');
    requiredTime(headers, 'timestamp');
    checkIntegrity(headers);
  },
  prerequisites: (assertion) => [
    declarationRef(SERIES, header(assertion, 'snap-id')),
    accountRef(header(assertion, 'developer-id')),
  ],
  consistency: (assertion, lookup) => mayRevise(assertion, 'resource-revision', lookup),
});

export const snapResourcePairType = defineType({
  name: 'snap-resource-pair',
  primaryKey: ['snap-id', 'resource-name', 'resource-revision', 'snap-revision', 'provenance'],
  optionalKeys: { provenance: DEFAULT_PROVENANCE },
  hasTimestamp: true,
  check({ headers }) {
    resourceName(headers);
    matchingText(headers, 'provenance', PROVENANCE);
    checkPositive(headers, 'resource-revision');
    checkPositive(headers, 'snap-revision');
    requiredText(headers, 'developer-id');
    requiredTime(headers, 'timestamp');
  },
  // The developer's account must exist as well, but the reference does not list it (assertions.md 17.16).
  prerequisites: (assertion) => [declarationRef(SERIES, header(assertion, 'snap-id'))],
  consistency: (assertion, lookup) => mayRevise(assertion, 'snap-revision', lookup),
});

function resourceName(headers: HeaderMap): void {
  const name = requiredText(headers, 'resource-name');
  if (!isSnapName(name))
    breaksRule(`"resource-name" must be formed like a snap name, not "${name}"`, 'resource-name');
}

function checkIntegrity(headers: HeaderMap): void {
  let number = 0;
  for (const entry of mapList(headers, 'integrity')) {
    number += 1;
    const where = `of integrity data ${number}`;
    if (existingText(entry, 'type', where) !== 'dm-verity')
      breaksRule(`"type" ${where} must be dm-verity`, 'integrity');
    if (unsigned(entry, 'version', where) !== 1n)
      breaksRule(`"version" ${where} must be 1`, 'integrity');
    if (existingText(entry, 'hash-algorithm', where) !== 'sha256') {
      breaksRule(`"hash-algorithm" ${where} must be sha256`, 'integrity');
    }
    unsigned(entry, 'data-block-size', where);
    unsigned(entry, 'hash-block-size', where);
    hexDigest(entry, 'digest', 32, where);
    hexDigest(entry, 'salt', 32, where);
  }
}

/**
 * With the default provenance a trusted account must sign; with another, an account that the snap's declaration
 * delegates it to, for this very revision (assertions.md 9, snap-revision). Being trusted is then neither needed nor
 * enough. Device scope is for the device to look at.
 */
function mayRevise(assertion: Assertion, revisionHeader: string, lookup: Lookup): void {
  const provenance = header(assertion, 'provenance');
  const isDelegated = provenance !== DEFAULT_PROVENANCE;
  if (!isDelegated) signedByTrustedAccount(assertion, lookup);
  accountExists(assertion, 'developer-id', lookup);
  const declaration = declarationOf(assertion, SERIES, 'snap-id', lookup);
  if (!isDelegated) return;
  const revision = BigInt(header(assertion, revisionHeader));
  const isAllowed = revisionAuthoritiesOf(declaration).some(
    (entry) =>
      entry.accountId === assertion.authorityId &&
      entry.provenances.includes(provenance) &&
      revision >= entry.minRevision &&
      (entry.maxRevision === undefined || revision <= entry.maxRevision),
  );
  if (isAllowed) return;
  refuse(
    'authority not allowed to sign this',
    `${assertion.type} of revision ${revision} with provenance ${provenance} is signed by account ${assertion.authorityId ?? ''}, which the snap-declaration does not allow in "revision-authority"`,
    { header: 'provenance', rule: `assertions.md 9, ${assertion.type}` },
  );
}
