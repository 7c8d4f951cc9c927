import { describe, expect, it } from 'vitest';
import { Gathered } from './gathered.js';

/** Answers when the test says so; numbers are what there is of words. */
function slow(words: Readonly<Record<string, number>>) {
  const asked: { keys: readonly string[]; end: (error?: Error) => void }[] = [];
  const gathered = new Gathered<number>(
    (keys) =>
      new Promise((resolve, reject) => {
        const found = new Map(
          keys.flatMap((key) => (key in words ? [[key, words[key] ?? 0]] : [])),
        );
        asked.push({ keys, end: (error) => (error ? reject(error) : resolve(found)) });
      }),
  );
  return { gathered, asked };
}

describe('questions at the same time', () => {
  it('the first is asked at once, the others together when it is answered', async () => {
    const { gathered, asked } = slow({ one: 1, two: 2 });
    const answers = ['one', 'two', 'none', 'two'].map((key) => gathered.get(key));
    expect(asked.map(({ keys }) => keys)).toEqual([['one']]);
    asked[0]?.end();
    await answers[0];
    expect(asked[1]?.keys).toEqual(['two', 'none']);
    asked[1]?.end();
    expect(await Promise.all(answers)).toEqual([1, 2, null, 2]);
  });

  it('a failure is that of those who asked, and not of the next', async () => {
    const { gathered, asked } = slow({ one: 1 });
    const failing = gathered.get('one');
    asked[0]?.end(new Error('Postgres is away'));
    await expect(failing).rejects.toThrow('away');
    const next = gathered.get('one');
    asked[1]?.end();
    expect(await next).toBe(1);
  });
});
