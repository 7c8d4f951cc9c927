import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Remembered } from './remembered.js';

describe('what is remembered', () => {
  let reads = 0;
  let answer: () => Promise<number | null> = () => Promise.resolve(1);
  const make = (ttl: number): Remembered<number> => {
    reads = 0;
    return new Remembered({ max: 10, ttl }, () => {
      reads += 1;
      return answer();
    });
  };

  it('is read once by all who ask at once, and again when it is too old or was forgotten', async () => {
    const known = make(60_000);
    answer = () => Promise.resolve(1);
    expect(await Promise.all([known.get('a'), known.get('a'), known.get('a')])).toEqual([1, 1, 1]);
    expect(reads).toBe(1);
    known.forget('a');
    expect(await known.get('a')).toBe(1);
    known.forgetAll();
    expect([await known.get('a'), reads]).toEqual([1, 3]);
    known.set('a', 7);
    expect([await known.get('a'), reads]).toEqual([7, 3]);
  });

  it('goes on when it cannot be read, is never invented, and follows when it can be read again', async () => {
    const known = make(5);
    answer = () => Promise.resolve(1);
    await known.get('a');
    await sleep(20);
    answer = () => Promise.reject(new Error('away'));
    expect(await known.get('a')).toBe(1);
    expect(await known.get('a')).toBe(1);
    await expect(known.get('b')).rejects.toThrow('away');
    answer = () => Promise.resolve(2);
    expect(await known.get('a')).toBe(2);
  });

  it('does not remember that there is nothing, nor what was read before it was forgotten', async () => {
    const known = make(60_000);
    answer = () => Promise.resolve(null);
    expect([await known.get('a'), await known.get('a'), reads]).toEqual([null, null, 2]);
    let finish: (value: number) => void = () => undefined;
    answer = () => new Promise((resolve) => (finish = resolve));
    const early = known.get('a');
    known.forget('a');
    answer = () => Promise.resolve(2);
    finish(1);
    expect([await early, await known.get('a')]).toEqual([1, 2]);
  });
});
