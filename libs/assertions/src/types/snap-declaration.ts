import { header, type Assertion } from '../assertion.js';
import type { HeaderMap } from '../headers.js';
import { ACCOUNT_ID, ALIAS, APP, PROVENANCE } from '../names.js';
import type { Feature } from '../rules/attribute-constraints.js';
import { compileDeviceScope, type DeviceScope } from '../rules/device-scope.js';
import { checkInterfaceRules } from '../rules/interface-rules.js';
import {
  breaksRule,
  existingText,
  isMissing,
  mapList,
  matchingText,
  positiveInteger,
  requiredText,
  requiredTime,
  textList,
} from '../values.js';
import { defineType } from './assertion-type.js';
import { accountExists, accountRef, signedByTrustedAccount } from './shared.js';

/** The format that each feature of the interface rules needs (assertions.md 11.1). */
const FORMAT_OF: Readonly<Record<Feature, number>> = {
  dollar: 2,
  'device-scope': 3,
  names: 4,
  alternatives: 5,
  'publisher-id': 6,
  variant: 7,
};

function minimumFormat(headers: HeaderMap): number {
  if (isMissing(headers, 'plugs') && isMissing(headers, 'slots')) return 0;
  return Math.max(1, ...[...checkInterfaceRules(headers)].map((feature) => FORMAT_OF[feature]));
}

export const snapDeclarationType = defineType({
  name: 'snap-declaration',
  primaryKey: ['series', 'snap-id'],
  maxFormat: 7,
  hasTimestamp: true,
  check({ headers }) {
    existingText(headers, 'snap-name');
    requiredText(headers, 'publisher-id');
    requiredTime(headers, 'timestamp');
    textList(headers, 'refresh-control');
    checkInterfaceRules(headers);
    textList(headers, 'auto-aliases', ALIAS);
    checkAliases(headers);
    readRevisionAuthorities(headers);
  },
  minimumFormat,
  prerequisites: (assertion) => [accountRef(header(assertion, 'publisher-id'))],
  consistency(assertion, lookup) {
    signedByTrustedAccount(assertion, lookup);
    accountExists(assertion, 'publisher-id', lookup);
  },
});

export const baseDeclarationType = defineType({
  name: 'base-declaration',
  primaryKey: ['series'],
  hasTimestamp: true,
  check({ headers }) {
    checkInterfaceRules(headers);
    requiredTime(headers, 'timestamp');
  },
  consistency: signedByTrustedAccount,
});

function checkAliases(headers: HeaderMap): void {
  const seen = new Set<string>();
  let number = 0;
  for (const entry of mapList(headers, 'aliases')) {
    number += 1;
    const name = matchingText(entry, 'name', ALIAS, `in "aliases" item ${number}`);
    matchingText(entry, 'target', APP, `for alias "${name}"`);
    if (seen.has(name)) breaksRule(`alias "${name}" is defined twice`, 'aliases');
    seen.add(name);
  }
}

/** An account that may sign revisions of the snap with some provenances (assertions.md 9, snap-declaration). */
export interface RevisionAuthority {
  readonly accountId: string;
  readonly provenances: readonly string[];
  readonly minRevision: bigint;
  readonly maxRevision: bigint | undefined;
  readonly deviceScope: DeviceScope | undefined;
}

export function revisionAuthoritiesOf(declaration: Assertion): readonly RevisionAuthority[] {
  return readRevisionAuthorities(declaration.headers);
}

function readRevisionAuthorities(headers: HeaderMap): readonly RevisionAuthority[] {
  return Array.from(mapList(headers, 'revision-authority'), (entry) => {
    const where = 'in revision-authority';
    const accountId = matchingText(entry, 'account-id', ACCOUNT_ID, where);
    const provenances = textList(entry, 'provenance', PROVENANCE, where);
    if (provenances.length === 0)
      breaksRule(`"provenance" ${where} must not be empty`, 'revision-authority');
    const minRevision = optionalRevision(entry, 'min-revision', where) ?? 1n;
    const maxRevision = optionalRevision(entry, 'max-revision', where);
    if (maxRevision !== undefined && maxRevision < minRevision) {
      breaksRule(`"max-revision" ${where} must not be below "min-revision"`, 'revision-authority');
    }
    return {
      accountId,
      provenances,
      minRevision,
      maxRevision,
      deviceScope: compileDeviceScope(entry, where),
    };
  });
}

function optionalRevision(entry: HeaderMap, name: string, where: string): bigint | undefined {
  return isMissing(entry, name) ? undefined : positiveInteger(entry, name, where);
}
