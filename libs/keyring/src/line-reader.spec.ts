import { PassThrough } from 'node:stream';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { readLines } from './line-reader.js';

it('gives whole lines, however the stream is cut, letters of two bytes included', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  readLines(stream, (line) => lines.push(line));
  for (const byte of Buffer.from('erste\n\nzwölf\nlast')) stream.write(Buffer.of(byte));
  stream.end();
  await once(stream, 'end');
  expect(lines).toEqual(['erste', '', 'zwölf']);
});

it('ends a stream that never ends its line', async () => {
  const stream = new PassThrough();
  readLines(stream, () => expect.unreachable());
  stream.write('x'.repeat(9 * 2 ** 20));
  const [error] = (await once(stream, 'error')) as [Error];
  expect(error.message).toBe('cannot read a line of that length');
});
