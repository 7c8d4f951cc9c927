import { header, type Assertion } from '../assertion.js';
import type { HeaderMap } from '../headers.js';
import { ACCOUNT_ID, isRisk, isSnapName, LOWER_NAME } from '../names.js';
import {
  badNumber,
  breaksRule,
  isMissing,
  mapList,
  matchingText,
  oneOf,
  optionalBoolean,
  optionalText,
  requiredInteger,
  requiredText,
  requiredTime,
  textList,
} from '../values.js';
import { defineType } from './assertion-type.js';
import { checkModelSnaps, type Grade } from './model-snaps.js';
import { authorityIs, modelName } from './shared.js';

const GRADES = ['secured', 'signed', 'dangerous'];
const STORAGE_SAFETIES = ['encrypted', 'prefer-encrypted', 'prefer-unencrypted'];

export const modelType = defineType({
  name: 'model',
  primaryKey: ['series', 'brand-id', 'model'],
  hasTimestamp: true,
  check(assertion) {
    const { headers } = assertion;
    authorityIs(assertion, 'brand-id');
    modelName(headers);
    const isClassic = optionalBoolean(headers, 'classic');
    const isExtended = !isMissing(headers, 'snaps');
    checkHeaderSet(headers, isClassic, isExtended);
    const base = optionalText(headers, 'base');
    if (base !== '') snapName(base, 'base');
    optionalText(headers, 'store');
    optionalText(headers, 'display-name');
    if (isExtended) checkModelSnaps(headers, { base, isClassic, grade: gradeOf(headers) });
    else checkPlainSnaps(headers);
    for (const name of ['serial-authority', 'system-user-authority', 'preseed-authority']) {
      authorityList(headers, name);
    }
    requiredTime(headers, 'timestamp');
    checkValidationSets(headers, header(assertion, 'brand-id'));
  },
});

/** Which headers the four kinds of model need and forbid (assertions.md 9, model). */
function checkHeaderSet(headers: HeaderMap, isClassic: boolean, isExtended: boolean): void {
  if (isExtended)
    forbid(headers, ['gadget', 'kernel', 'required-snaps'], 'in a model with "snaps"');
  else forbid(headers, ['grade', 'storage-safety'], 'in a model without "snaps"');
  if (isClassic && !isExtended) {
    forbid(headers, ['kernel', 'base'], 'in a classic model without "snaps"');
  }
  if (isClassic && isExtended) matchingText(headers, 'distribution', /^[a-z0-9._-]*$/);
  else forbid(headers, ['distribution'], 'unless the model is classic and has "snaps"');
  if (isExtended) for (const name of ['architecture', 'base']) requiredText(headers, name);
  else if (isClassic) for (const name of ['architecture', 'gadget']) optionalText(headers, name);
  else for (const name of ['architecture', 'gadget', 'kernel']) requiredText(headers, name);
}

function forbid(headers: HeaderMap, names: readonly string[], when: string): void {
  for (const name of names) {
    if (!isMissing(headers, name)) breaksRule(`"${name}" is not allowed ${when}`, name);
  }
}

function gradeOf(headers: HeaderMap): Grade {
  const grade = (oneOf(headers, 'grade', GRADES) || 'signed') as Grade;
  const storageSafety = oneOf(headers, 'storage-safety', STORAGE_SAFETIES);
  if (grade === 'secured' && storageSafety !== '' && storageSafety !== 'encrypted') {
    breaksRule('"storage-safety" of a secured model can only be encrypted', 'storage-safety');
  }
  return grade;
}

function snapName(name: string, headerName: string): void {
  if (!isSnapName(name))
    breaksRule(`"${headerName}" holds an invalid snap name: ${name}`, headerName);
}

function checkPlainSnaps(headers: HeaderMap): void {
  for (const which of ['kernel', 'gadget']) {
    if (isMissing(headers, which)) continue;
    const text = optionalText(headers, which);
    const cut = text.indexOf('=');
    snapName(cut === -1 ? text : text.slice(0, cut), which);
    const track = cut === -1 ? '' : text.slice(cut + 1);
    if (track.includes('/') || isRisk(track)) {
      breaksRule(`"${which}" may name a track after "=", not a risk or a channel`, which);
    }
  }
  for (const name of textList(headers, 'required-snaps')) snapName(name, 'required-snaps');
}

/** @returns null when the header says `*`, which only system-user-authority may */
function authorityList(headers: HeaderMap, name: string): readonly string[] | null {
  if (headers[name] === '*' && name === 'system-user-authority') return null;
  return textList(headers, name, ACCOUNT_ID);
}

/** Accounts that may sign serials of a model; the brand always may. */
export function serialAuthorityOf(model: Assertion): readonly string[] {
  const brand = header(model, 'brand-id');
  const listed = textList(model.headers, 'serial-authority');
  return listed.includes(brand) ? listed : [brand, ...listed];
}

/** Accounts that may sign system-users for a model; null means any account. */
export function systemUserAuthorityOf(model: Assertion): readonly string[] | null {
  const brand = header(model, 'brand-id');
  const listed = authorityList(model.headers, 'system-user-authority');
  return listed === null || listed.includes(brand) ? listed : [brand, ...listed];
}

function checkValidationSets(headers: HeaderMap, brandId: string): void {
  const seen = new Set<string>();
  for (const entry of mapList(headers, 'validation-sets')) {
    const name = matchingText(entry, 'name', LOWER_NAME, 'of validation-set');
    const account = optionalText(entry, 'account-id', `of validation-set "${name}"`) || brandId;
    const key = `${account}/${name}`;
    const where = `of validation-set "${key}"`;
    if (!isMissing(entry, 'sequence') && requiredInteger(entry, 'sequence', where) < 1n) {
      badNumber(`"sequence" ${where} must be 1 or more, or be left out`, 'sequence');
    }
    requiredText(entry, 'mode', where);
    oneOf(entry, 'mode', ['prefer-enforce', 'enforce'], where);
    if (seen.has(key)) breaksRule(`validation set "${key}" is listed twice`, 'validation-sets');
    seen.add(key);
  }
}
