import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { BlobStore, Bytes } from './blob-store.js';
import { hashing } from './hashing.js';
import { Readable } from 'node:stream';

/** One promise of every `BlobStore`, checked on whichever it is given. */
export interface ContractCase {
  readonly title: string;
  readonly check: (store: BlobStore) => Promise<void>;
}

/** Larger than a part of a multipart upload, so that S3 takes three parts. */
const LARGE = 20 * 1024 * 1024 + 17;

const some = (text: string): Bytes => Readable.from([Buffer.from(text)]);
const fresh = (): string => `contract/${randomUUID()}`;

async function read(store: BlobStore, key: string, start?: number, end?: number): Promise<string> {
  const range = start === undefined ? undefined : { start, ...(end === undefined ? {} : { end }) };
  const parts: Uint8Array[] = [];
  for await (const part of await store.get(key, range)) parts.push(part as Uint8Array);
  return Buffer.concat(parts).toString();
}

async function* pieces(total: number, hash = createHash('sha256')): AsyncGenerator<Buffer> {
  for (let left = total; left > 0;) {
    const piece = randomBytes(Math.min(left, 65_521));
    hash.update(piece);
    left -= piece.length;
    yield piece;
  }
}

async function* failing(afterBytes: number): AsyncGenerator<Buffer> {
  yield* pieces(afterBytes);
  throw new Error('the sender went away');
}

/** What the interface promises, for files, memory and every S3 server alike (house 2.11). */
export const blobStoreContract: readonly ContractCase[] = [
  {
    title: 'gives back what was put, and says how much it is',
    check: async (store) => {
      const key = fresh();
      deepEqual(await store.put(key, some('hello')), { key, sizeBytes: 5 });
      equal(await read(store, key), 'hello');
      deepEqual(await store.head(key), { key, sizeBytes: 5 });
    },
  },
  {
    title: 'takes nothing at all as a blob of no bytes',
    check: async (store) => {
      const key = fresh();
      deepEqual(await store.put(key, Readable.from([])), { key, sizeBytes: 0 });
      equal(await read(store, key), '');
    },
  },
  {
    title: 'takes streams of unknown length in many parts, hashed on the way',
    check: async (store) => {
      const key = fresh();
      const sent = createHash('sha256');
      const hash = hashing();
      await store.put(key, hash.of(pieces(LARGE, sent)));
      const got = createHash('sha256');
      for await (const piece of await store.get(key)) got.update(piece as Buffer);
      equal(got.digest('hex'), hash.digests.sha256);
      equal(sent.digest('hex'), hash.digests.sha256);
      deepEqual(await store.head(key), { key, sizeBytes: LARGE });
      await store.delete(key);
    },
  },
  {
    title: 'replaces a blob as a whole',
    check: async (store) => {
      const key = fresh();
      await store.put(key, some('the first, longer one'));
      await store.put(key, some('second'));
      equal(await read(store, key), 'second');
    },
  },
  {
    title: 'leaves nothing when the source fails, early or in the third part',
    check: async (store) => {
      for (const bytes of [0, 100, LARGE]) {
        const key = fresh();
        await rejects(store.put(key, failing(bytes)), /the sender went away/);
        equal(await store.head(key), null);
      }
    },
  },
  {
    title: 'reads ranges from the front, the middle and to the end',
    check: async (store) => {
      const key = fresh();
      await store.put(key, some('0123456789'));
      equal(await read(store, key, 0, 0), '0');
      equal(await read(store, key, 3, 5), '345');
      equal(await read(store, key, 7), '789');
      equal(await read(store, key, 8, 1_000), '89');
      await rejects(store.get(key, { start: 10 }), { code: 'bad-range' });
    },
  },
  {
    title: 'says so when there is no such blob',
    check: async (store) => {
      const key = fresh();
      equal(await store.head(key), null);
      await rejects(store.get(key), { code: 'blob-not-found' });
      await rejects(store.get(key, { start: 1 }), { code: 'blob-not-found' });
      await rejects(store.copy(key, fresh()), { code: 'blob-not-found' });
      await rejects(store.rename(key, fresh()), { code: 'blob-not-found' });
      await store.delete(key);
    },
  },
  {
    title: 'renames and copies',
    check: async (store) => {
      const [draft, final, copy] = [fresh(), fresh(), fresh()];
      await store.put(draft, some('moved'));
      await store.rename(draft, final);
      equal(await store.head(draft), null);
      await store.copy(final, copy);
      equal(await read(store, copy), 'moved');
      await store.delete(copy);
      equal(await store.head(copy), null);
      equal(await read(store, final), 'moved');
    },
  },
  {
    title: 'keeps a key and keys below it apart',
    check: async (store) => {
      const key = fresh();
      await store.put(key, some('above'));
      await store.put(`${key}/below`, some('below'));
      equal(await read(store, key), 'above');
      equal(await read(store, `${key}/below`), 'below');
    },
  },
  {
    title: 'lists by prefix',
    check: async (store) => {
      const folder = fresh();
      const keys = [`${folder}/a`, `${folder}/b/c`, `${folder}/b/d`];
      for (const key of [...keys, `${folder}-other/x`]) await store.put(key, some(key));
      const listed = [];
      for await (const { key, sizeBytes } of store.list(`${folder}/`))
        listed.push([key, sizeBytes]);
      deepEqual(
        listed.sort(),
        keys.map((key) => [key, key.length]),
      );
    },
  },
  {
    title: 'lets exactly one of many create a key',
    check: async (store) => {
      const key = fresh();
      const names = Array.from({ length: 20 }, (_, n) => `creator ${n}`);
      const won = await Promise.all(
        names.map((name) => store.createIfAbsent(key, Buffer.from(name))),
      );
      const winners = names.filter((_, n) => won[n]);
      equal(winners.length, 1);
      equal(await read(store, key), winners[0]);
      equal(await store.createIfAbsent(key, Buffer.from('late')), false);
    },
  },
  {
    title: 'refuses keys that some server or disk would misread',
    check: async (store) => {
      for (const key of [
        '',
        '/a',
        'a/',
        'a//b',
        '../a',
        'a/../b',
        'a b',
        'ä',
        'a?b',
        'x'.repeat(600),
      ]) {
        await rejects(store.put(key, some('')), { code: 'bad-key' });
        await rejects(store.head(key), { code: 'bad-key' });
      }
    },
  },
  {
    title: 'takes many writers of one key at once: the last whole one stays',
    check: async (store) => {
      const key = fresh();
      const texts = Array.from({ length: 10 }, (_, n) => `writer ${n}`);
      await Promise.all(texts.map((text) => store.put(key, some(text))));
      ok(texts.includes(await read(store, key)));
    },
  },
];
