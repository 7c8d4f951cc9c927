import { describe, expect, it } from 'vitest';
import { answerBlob, contentDisposition, parseRange } from './http-range.js';
import { MemoryBlobStore } from './memory-blob-store.js';

describe('a Range header', () => {
  it.each([
    ['bytes=0-3', { start: 0, end: 3 }],
    ['bytes=4-', { start: 4, end: 9 }],
    ['bytes=8-99', { start: 8, end: 9 }],
    ['bytes=-4', { start: 6, end: 9 }],
    ['bytes=-99', { start: 0, end: 9 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-3', null],
    ['bytes=-', null],
    ['bytes=0-1,4-5', null],
    ['lines=0-1', null],
    [undefined, null],
  ])('%s of ten bytes', (header, expected) => {
    expect(parseRange(header, 10)).toEqual(expected);
  });
});

describe('serving a blob', () => {
  const store = new MemoryBlobStore();
  const text = async (answer: { body: AsyncIterable<unknown> | null }) => {
    let all = '';
    for await (const chunk of answer.body ?? []) all += String(chunk);
    return all;
  };

  it('gives the whole, a part, or says why not', async () => {
    await store.put('k', [Buffer.from('0123456789')]);
    const whole = await answerBlob(store, 'k', { method: 'GET', fileName: 'a_1.snap' });
    expect(whole).toMatchObject({
      status: 200,
      headers: {
        'content-length': '10',
        'accept-ranges': 'bytes',
        'content-disposition': 'attachment; filename="a_1.snap"',
      },
    });
    expect(await text(whole)).toBe('0123456789');
    const part = await answerBlob(store, 'k', { method: 'GET', range: 'bytes=7-' });
    expect(part).toMatchObject({
      status: 206,
      headers: { 'content-length': '3', 'content-range': 'bytes 7-9/10' },
    });
    expect(await text(part)).toBe('789');
    expect(await answerBlob(store, 'k', { method: 'GET', range: 'bytes=10-' })).toMatchObject({
      status: 416,
      headers: { 'content-range': 'bytes */10' },
      body: null,
    });
    expect(await answerBlob(store, 'none', { method: 'GET' })).toMatchObject({ status: 404 });
  });

  it('answers HEAD with the length and no bytes, whatever the range', async () => {
    const head = await answerBlob(store, 'k', { method: 'HEAD', range: 'bytes=7-' });
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': '10' }, body: null });
  });

  it('serves a blob of no bytes', async () => {
    await store.put('empty', []);
    expect(await answerBlob(store, 'empty', { method: 'GET' })).toMatchObject({
      status: 200,
      headers: { 'content-length': '0' },
    });
    expect(await answerBlob(store, 'empty', { method: 'GET', range: 'bytes=0-' })).toMatchObject({
      status: 416,
    });
  });

  it('lets no file name end the header', () => {
    expect(contentDisposition('a"\r\nx: y')).toBe('attachment; filename="a___x__y"');
  });
});
