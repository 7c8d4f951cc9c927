import { header } from '../assertion.js';
import type { HeaderMap } from '../headers.js';
import { breaksRule, optionalText, requiredText, requiredTime, textList } from '../values.js';
import { defineType } from './assertion-type.js';
import { accountExists, accountRef, signedByTrustedAccount } from './shared.js';

export const storeType = defineType({
  name: 'store',
  primaryKey: ['store'],
  hasTimestamp: true,
  check({ headers }) {
    requiredText(headers, 'operator-id');
    checkUrl(headers);
    textList(headers, 'friendly-stores');
    optionalText(headers, 'location');
    requiredTime(headers, 'timestamp');
  },
  prerequisites: (assertion) => [accountRef(header(assertion, 'operator-id'))],
  consistency(assertion, lookup) {
    signedByTrustedAccount(assertion, lookup);
    accountExists(assertion, 'operator-id', lookup);
  },
});

const URL_PARTS = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#([^]*))?$/;
const AUTHORITY =
  /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:%]*@)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=\u0080-\u{10ffff}]+)(?::\d*)?$/u;

/** http or https, with a host, without query and fragment (assertions.md 9, store). */
function checkUrl(headers: HeaderMap): void {
  const url = optionalText(headers, 'url');
  if (url === '') return;
  const parts = URL_PARTS.exec(url);
  if (parts === null || /[\x00-\x20\x7f]|%(?![0-9A-Fa-f]{2})/.test(url)) {
    breaksRule('"url" is not a web address', 'url');
  }
  const [, scheme = '', authority = '', , query = '', fragment = ''] = parts;
  if (!['http', 'https'].includes(scheme.toLowerCase()))
    breaksRule('"url" must begin with https:// or http://', 'url');
  if (!AUTHORITY.test(authority)) breaksRule('"url" must name a host', 'url');
  if (query !== '') breaksRule('"url" must not have a query', 'url');
  if (fragment !== '') breaksRule('"url" must not have a fragment', 'url');
}
