import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { postgresUrlNow, postgresUrlOrLater } from './said-later.js';

const URL = 'postgres://store:secret@127.0.0.1:5432/store';

describe('a database that is known later', () => {
  it('is a URL, or said later', () => {
    const verdicts = [URL, '-', 'mysql://x', ''].map(
      (value) => postgresUrlOrLater().safeParse(value).success,
    );
    expect(verdicts).toEqual([true, true, false, false]);
  });

  it('is read from standard input only when it was not given', async () => {
    expect(await postgresUrlNow(URL, Readable.from([]))).toBe(URL);
    expect(await postgresUrlNow('-', Readable.from([`${URL}\nmore\n`]))).toBe(URL);
  });

  it('refuses an input that ends without it, or says something else, and tells no secret', async () => {
    for (const said of [[], ['mysql://user:secret@host/x\n']]) {
      const refused = expect(postgresUrlNow('-', Readable.from(said))).rejects;
      await refused.toThrow('DATABASE_URL on standard input: must be a postgres:// URL');
      await refused.not.toThrow('secret');
    }
  });
});
