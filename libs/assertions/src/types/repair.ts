import { isSnapName } from '../names.js';
import {
  breaksRule,
  optionalBoolean,
  checkPositive,
  requiredText,
  requiredTime,
  textList,
} from '../values.js';
import { defineType } from './assertion-type.js';
import { authorityIs } from './shared.js';

export const repairType = defineType({
  name: 'repair',
  primaryKey: ['brand-id', 'repair-id'],
  isSequence: true,
  hasTimestamp: true,
  check(assertion) {
    const { headers } = assertion;
    authorityIs(assertion, 'brand-id');
    checkPositive(headers, 'repair-id');
    if (/[\n\r]/.test(requiredText(headers, 'summary')))
      breaksRule('"summary" must be one line', 'summary');
    for (const name of ['series', 'models', 'architectures']) textList(headers, name);
    const modes = textList(headers, 'modes');
    const bases = textList(headers, 'bases');
    for (const base of bases)
      if (!isSnapName(base)) breaksRule(`"bases" has the invalid name "${base}"`, 'bases');
    if (modes.some((mode) => !['run', 'recover'].includes(mode))) {
      breaksRule('"modes" can only be run and recover', 'modes');
    }
    if (modes.length > 0 && bases.some((base) => ['core', 'core16', 'core18'].includes(base))) {
      breaksRule('with "modes", "bases" must not name a base without recovery modes', 'bases');
    }
    optionalBoolean(headers, 'disabled');
    requiredTime(headers, 'timestamp');
  },
});
