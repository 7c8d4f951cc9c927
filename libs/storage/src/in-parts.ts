import { pieces, type Bytes } from './blob-store.js';

/** The same bytes in pieces of exactly `partBytes`, the last one shorter; none for no bytes. At most two pieces in memory. */
export async function* inParts(content: Bytes, partBytes: number): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of pieces(content)) {
    let rest = chunk;
    while (length + rest.length >= partBytes) {
      const taken = rest.subarray(0, partBytes - length);
      yield Buffer.concat([...waiting, taken]);
      rest = rest.subarray(taken.length);
      waiting = [];
      length = 0;
    }
    if (rest.length > 0) waiting.push(rest);
    length += rest.length;
  }
  if (length > 0) yield Buffer.concat(waiting);
}
