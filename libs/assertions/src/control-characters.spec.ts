import { expect, it } from 'vitest';
import { hasControlCharacter } from './control-characters.js';

it('finds each control character at each place, and nothing else', () => {
  for (let byte = 0; byte < 256; byte += 1) {
    const isControl = (byte < 0x20 && byte !== 0x09 && byte !== 0x0a) || byte === 0x7f;
    for (let offset = 0; offset < 4; offset += 1) {
      for (let place = 0; place < 11; place += 1) {
        const bytes = Buffer.alloc(offset + 11, 'a').subarray(offset);
        bytes[place] = byte;
        expect(hasControlCharacter(bytes)).toBe(isControl);
        bytes[(place + 1) % 11] = 0xff;
        expect(hasControlCharacter(bytes)).toBe(isControl);
      }
    }
  }
  expect(hasControlCharacter(Buffer.alloc(0))).toBe(false);
});
