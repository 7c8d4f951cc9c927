import type { Epoch } from '#libs/database';
import { ReviewProblem } from './problem.js';
import { asMap } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

const LARGEST = 2 ** 32 - 1;
const MOST = 10;

const refuse = (why: string): ReviewProblem =>
  new ReviewProblem('bad-epoch', `cannot read the epoch: ${why}`);

/** snapd's rule: `0`, `N`, `N*` (also reads N-1), or the lists read and write, rising, at most ten, with one in common. */
export function checkEpoch(yaml: YamlMap): Epoch {
  const value = yaml.get('epoch');
  if (value === undefined || value === '') return { read: [0], write: [0] };
  if (typeof value === 'string') return short(value);
  const map = asMap(value);
  if (!map) throw refuse('it is neither a number nor a map');
  const unknown = [...map.keys()].find((key) => key !== 'read' && key !== 'write');
  if (unknown !== undefined) throw refuse(`it has '${unknown}'`);
  const read = listOf(map, 'read') ?? listOf(map, 'write');
  if (!read) throw refuse('it has neither read nor write');
  const write = listOf(map, 'write') ?? read.slice(-1);
  if (!write.some((epoch) => read.includes(epoch))) throw refuse('it cannot read what it writes');
  return { read, write };
}

function short(text: string): Epoch {
  const [, digits, star] = /^(0|[1-9]\d*)(\*?)$/.exec(text) ?? [];
  if (digits === undefined || (digits === '0' && star)) throw refuse(`'${text}'`);
  const epoch = toEpoch(digits);
  return star ? { read: [epoch - 1, epoch], write: [epoch] } : { read: [epoch], write: [epoch] };
}

function listOf(map: YamlMap, key: string): number[] | undefined {
  const value = map.get(key);
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length === 0)
    throw refuse(`'${key}' is not a list of numbers`);
  if (value.length > MOST) throw refuse(`'${key}' has more than ${MOST} numbers`);
  const epochs = value.map((item) => toEpoch(String(item)));
  for (const [index, epoch] of epochs.entries()) {
    if (index > 0 && epoch <= (epochs[index - 1] ?? 0)) throw refuse(`'${key}' does not rise`);
  }
  return epochs;
}

function toEpoch(text: string): number {
  const epoch = /^(0|[1-9]\d{0,9})$/.test(text) ? Number(text) : Number.NaN;
  if (!(epoch <= LARGEST)) throw refuse(`'${text}' is not a number of 32 bits`);
  return epoch;
}
