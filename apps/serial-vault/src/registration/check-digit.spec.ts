import { describe, expect, it } from 'vitest';
import { hasCheckDigit } from './check-digit.js';

/** Each other figure at each place. */
function* slips(serial: string): Generator<string> {
  for (const [place, sign] of [...serial].entries())
    for (const other of '0123456789')
      if (/\d/.test(sign) && other !== sign)
        yield serial.slice(0, place) + other + serial.slice(place + 1);
}

describe('check digits', () => {
  it.each([
    ['luhn', '79927398713'],
    ['luhn', 'AC-7992-7398-713'],
    // ISO/IEC 7064: 794 has the check digits 44.
    ['mod97', '79444'],
    // The IBAN of the standard's example, with its first four signs at the end.
    ['mod97', 'WEST12345698765432GB82'],
    ['mod97', 'west1234-5698-7654-32GB-82'],
  ] as const)('%s knows %s, and each slip of one figure', (rule, serial) => {
    expect(hasCheckDigit(serial, rule)).toBe(true);
    expect([...slips(serial)].filter((slip) => hasCheckDigit(slip, rule))).toEqual([]);
  });

  it('a serial without figures has none', () => {
    for (const serial of ['', 'ABC', '0', 'A-0'])
      expect([hasCheckDigit(serial, 'luhn'), hasCheckDigit(serial, 'mod97')]).toEqual([
        false,
        false,
      ]);
  });
});
