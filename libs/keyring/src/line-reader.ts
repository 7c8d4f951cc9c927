import type { Readable } from 'node:stream';

/** The largest assertion body has 2 MiB (assertions.md 1.6); in base64, with room. */
const LONGEST_LINE = 8 * 2 ** 20;

/** Calls `onLine` for each line of a stream; destroys the stream when a line grows beyond 8 Mi characters. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest: string[] = [];
  let length = 0;
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const [first = '', ...others] = chunk.split('\n');
    rest.push(first);
    length += first.length;
    for (const other of others) {
      onLine(rest.join(''));
      rest = [other];
      length = other.length;
    }
    if (length > LONGEST_LINE) stream.destroy(new Error('cannot read a line of that length'));
  });
}
