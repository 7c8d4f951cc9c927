import { header } from '../assertion.js';
import { refuse } from '../error.js';
import { isHeaderName, type HeaderMap } from '../headers.js';
import { ACCOUNT_ID, STRICT_SERIAL } from '../names.js';
import {
  breaksRule,
  isHeaderList,
  isHeaderMap,
  mapList,
  matchingText,
  optionalMap,
  optionalText,
  requiredTime,
  textList,
} from '../values.js';
import { defineType } from './assertion-type.js';
import { deviceKeyOf } from './serial.js';
import { authorityIs, modelName } from './shared.js';

const NAME = /^[a-z](?:-?[a-z0-9])*$/;

/** The confdb language itself is opaque here; only its outer shape is checked (assertions.md 9, confdb-schema). */
export const confdbSchemaType = defineType({
  name: 'confdb-schema',
  primaryKey: ['account-id', 'name'],
  hasJsonBody: true,
  check(assertion) {
    const { headers, body } = assertion;
    if (header(assertion, 'account-id') !== 'system') authorityIs(assertion, 'account-id');
    else if (assertion.authorityId !== 'canonical') {
      refuse(
        'authority-id does not match the brand or account named in the assertion',
        'confdb-schema of account "system" must be signed by canonical',
        { header: 'account-id', rule: 'assertions.md 9, confdb-schema' },
      );
    }
    matchingText(headers, 'name', NAME);
    const views = optionalMap(headers, 'views');
    if (views === undefined) {
      refuse('mandatory header missing or empty', '"views" is missing', {
        header: 'views',
        rule: 'assertions.md 9',
      });
    }
    optionalText(headers, 'summary');
    checkStorage(JSON.parse(body.toString('utf8')));
    checkViews(views);
    requiredTime(headers, 'timestamp');
  },
});

function checkStorage(body: unknown): void {
  const storage = isObject(body) ? body['storage'] : undefined;
  if (!isObject(storage) || storage['schema'] === undefined) {
    breaksRule('the body must have "storage" with a "schema"');
  }
  if (storage['type'] !== undefined && storage['type'] !== 'map')
    breaksRule('the storage can only be of type map');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkViews(views: HeaderMap): void {
  for (const [name, view] of Object.entries(views)) {
    const rules = isHeaderMap(view) ? view['rules'] : undefined;
    if (!isHeaderName(name) || !isHeaderList(rules))
      breaksRule(`view "${name}" must have "rules", a list`, 'views');
  }
}

const AUTHENTICATIONS = ['operator-key', 'store'];

export const confdbControlType = defineType({
  name: 'confdb-control',
  primaryKey: ['brand-id', 'model', 'serial'],
  hasAuthority: false,
  check({ headers }) {
    matchingText(headers, 'brand-id', ACCOUNT_ID);
    modelName(headers);
    matchingText(headers, 'serial', STRICT_SERIAL);
    for (const group of mapList(headers, 'groups')) checkGroup(group);
  },
  prerequisites: ({ primaryKey }) => [{ type: 'serial', primaryKey }],
  ownKey(assertion, lookup) {
    const serial = lookup.find('serial', assertion.primaryKey);
    const key = serial === undefined ? undefined : deviceKeyOf(serial);
    if (key?.id === assertion.signKeyId) return key;
    refuse(
      'no key to check a no-authority assertion',
      key === undefined
        ? 'confdb-control is for a device whose serial is not known'
        : 'confdb-control is not signed with the key of the device that it is for',
      { header: 'sign-key-sha3-384', rule: 'assertions.md 7.1' },
    );
  },
});

function checkGroup(group: HeaderMap): void {
  const lists = ['authentications', 'views', 'operators'].map((name) => {
    const list = textList(group, name, undefined, 'in a group');
    if (list.length === 0) breaksRule(`"${name}" in a group must be given`, 'groups');
    return list;
  });
  const [authentications = [], views = [], operators = []] = lists;
  if (authentications.some((name) => !AUTHENTICATIONS.includes(name))) {
    breaksRule('"authentications" can only be operator-key and store', 'groups');
  }
  if (operators.some((id) => !ACCOUNT_ID.test(id)))
    breaksRule('"operators" must be account ids', 'groups');
  for (const view of views) {
    const [account = '', schema = '', name = '', ...rest] = view.split('/');
    if (
      rest.length > 0 ||
      !ACCOUNT_ID.test(account) ||
      !isHeaderName(schema) ||
      !isHeaderName(name)
    ) {
      breaksRule(`"views" must be of the form account/schema/view, not "${view}"`, 'groups');
    }
  }
}
