/**
 * Whether any byte is a control character: below 0x20, or 0x7f. Tab and newline have an honest use and do not count; UTF-8
 * uses these bytes for nothing else. Every byte of every header passes here, so most are looked at four at a time.
 */
export function hasControlCharacter(bytes: Buffer): boolean {
  const skew = Math.min(-bytes.byteOffset & 3, bytes.length);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + skew, (bytes.length - skew) >> 2);
  if (hasControlIn(bytes, 0, skew)) return true;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? 0;
    const at = skew + index * 4;
    if (mayHaveControl(word) && hasControlIn(bytes, at, at + 4)) return true;
  }
  return hasControlIn(bytes, skew + words.length * 4, bytes.length);
}

/**
 * Borrowing in the subtractions sets the top bit of each byte that is below 0x20, or that is zero once 0x7f is taken away
 * bit by bit; now and then of a neighbour too, which the look at the bytes sorts out.
 */
function mayHaveControl(word: number): boolean {
  const below = (word - 0x20202020) & ~word;
  const flipped = word ^ 0x7f7f7f7f;
  const deleted = (flipped - 0x01010101) & ~flipped;
  return ((below | deleted) & 0x80808080) !== 0;
}

function hasControlIn(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0;
    if ((byte < 0x20 && byte !== 0x0a && byte !== 0x09) || byte === 0x7f) return true;
  }
  return false;
}
