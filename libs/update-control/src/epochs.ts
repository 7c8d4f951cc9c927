import { UpdateControlError } from './errors.js';

/** Which data formats a revision reads and writes; both lists rise strictly (device-api.md 0.4, snapd `snap/epoch.go`). */
export interface Epoch {
  readonly read: readonly number[];
  readonly write: readonly number[];
}

export const EPOCH_ZERO: Epoch = { read: [0], write: [0] };

function numbers(value: unknown, what: string): readonly number[] {
  const isList =
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= 10 &&
    value.every((n, i) => Number.isSafeInteger(n) && n >= 0 && (i === 0 || n > value[i - 1]));
  if (!isList)
    throw new UpdateControlError(
      'bad-epoch',
      `cannot read epoch: "${what}" is not a rising list of numbers`,
    );
  return value as readonly number[]; // every element was just checked
}

/**
 * Reads what snap.yaml and the wire carry: `"0"`, `1`, `"1*"` (reads 0 and 1), `{ read, write }`, or nothing (epoch 0).
 * A missing `read` is `write`, a missing `write` is `read`. Throws `bad-epoch`.
 */
export function parseEpoch(value: unknown): Epoch {
  if (value === undefined || value === null || value === '') return EPOCH_ZERO;
  if (typeof value === 'number') return parseEpoch(String(value));
  if (typeof value === 'string') return parseShortEpoch(value);
  if (typeof value !== 'object')
    throw new UpdateControlError('bad-epoch', 'cannot read epoch: not text and not an object');
  const { read, write } = value as { read?: unknown; write?: unknown };
  const given = { read: read ?? write ?? [0], write: write ?? read ?? [0] };
  const epoch = { read: numbers(given.read, 'read'), write: numbers(given.write, 'write') };
  if (!epoch.write.some((n) => epoch.read.includes(n))) {
    throw new UpdateControlError(
      'bad-epoch',
      'cannot read epoch: it reads nothing of what it writes',
    );
  }
  return epoch;
}

function parseShortEpoch(text: string): Epoch {
  const match = /^(0|[1-9][0-9]{0,8})(\*?)$/.exec(text);
  const n = Number(match?.[1]);
  if (!match || (match[2] === '*' && n === 0)) {
    throw new UpdateControlError('bad-epoch', `cannot read epoch "${text}"`);
  }
  return match[2] === '*' ? { read: [n - 1, n], write: [n] } : { read: [n], write: [n] };
}

/** Whether a revision of epoch `candidate` understands the data that `installed` wrote (update-control.md F16). */
export function canRead(candidate: Epoch, installed: Epoch): boolean {
  for (const n of candidate.read) if (installed.write.includes(n)) return true;
  return false;
}

/** The highest format an epoch writes: revisions of one level share a baseline (update-control.md 2.2, Lane). */
export function epochLevel(epoch: Epoch): number {
  return epoch.write[epoch.write.length - 1] ?? 0;
}

/** `"1*"`, `"0"`, or `"read/write"` lists where the short form cannot say it. */
export function epochText(epoch: Epoch): string {
  const level = epochLevel(epoch);
  const [low, high] = epoch.read;
  if (epoch.write.length === 1 && epoch.read.length === 1 && low === level) return String(level);
  if (epoch.write.length === 1 && epoch.read.length === 2 && low === level - 1 && high === level)
    return `${level}*`;
  return `${epoch.read.join(',')}/${epoch.write.join(',')}`;
}
