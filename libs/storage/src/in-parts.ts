import { pieces, type Bytes } from './blob-store.js';

/**
 * The same bytes in pieces of exactly `partBytes`, the last one shorter; none for no bytes. At most two pieces in memory. Bytes are
 * copied as they come: small pieces that live as long as a part cost the garbage collector more than the copy.
 * @param spare pieces that nobody needs any more; taken before memory is
 */
export async function* inParts(
  content: Bytes,
  partBytes: number,
  spare: Buffer[] = [],
): AsyncGenerator<Buffer> {
  let part: Buffer | null = null;
  let length = 0;
  for await (const chunk of pieces(content)) {
    for (let at = 0; at < chunk.length;) {
      part ??= spare.pop() ?? Buffer.allocUnsafeSlow(partBytes);
      const taken = chunk.subarray(at, at + partBytes - length);
      part.set(taken, length);
      length += taken.length;
      at += taken.length;
      if (length < partBytes) continue;
      yield part;
      part = null;
      length = 0;
    }
  }
  if (part) yield part.subarray(0, length);
}
