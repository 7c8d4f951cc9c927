import { expect, it } from 'vitest';
import { Turns } from './turns.js';

const FREE = new AbortController().signal;

it('lets one after the other work, each key for itself, also after a failure', async () => {
  const turns = new Turns();
  const done: string[] = [];
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const first = turns.take('a', FREE, async () => {
    await held;
    done.push('a1');
    throw new Error('a1 failed');
  });
  const second = turns.take('a', FREE, () => Promise.resolve(done.push('a2')));
  await turns.take('b', FREE, () => Promise.resolve(done.push('b1')));
  expect(done).toEqual(['b1']);
  release();
  await expect(first).rejects.toThrow('a1 failed');
  await second;
  expect(done).toEqual(['b1', 'a1', 'a2']);
});

it('does not begin what nobody waits for any more', async () => {
  const turns = new Turns();
  const caller = new AbortController();
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const first = turns.take('a', FREE, () => held);
  const second = turns.take('a', caller.signal, () => Promise.reject(new Error('begun')));
  caller.abort();
  release();
  await first;
  await expect(second).rejects.toThrow(/aborted/);
});
