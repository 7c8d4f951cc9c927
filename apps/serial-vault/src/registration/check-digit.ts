import type { CheckDigit } from '#libs/database';

const RULES: Readonly<Record<CheckDigit, (serial: string) => boolean>> = {
  luhn: isLuhn,
  mod97: isMod97,
};

/** Whether the last figures of a serial prove the others: a slip of the hand is found before anything is signed. */
export function hasCheckDigit(serial: string, rule: CheckDigit): boolean {
  return RULES[rule](serial);
}

/** ISO/IEC 7812: over the digits of the serial; letters and signs between them do not count. */
function isLuhn(serial: string): boolean {
  const digits = [...serial.replace(/\D/g, '')].reverse().map(Number);
  const sum = digits.reduce((total, digit, place) => {
    const weighed = place % 2 === 0 ? digit : digit * 2;
    return total + (weighed > 9 ? weighed - 9 : weighed);
  }, 0);
  return digits.length > 1 && sum % 10 === 0;
}

/** ISO/IEC 7064 MOD 97-10: over letters (A is 10) and digits, the last two of them digits that make the rest 1. */
function isMod97(serial: string): boolean {
  const signs = serial.toUpperCase().replace(/[^A-Z0-9]/g, '');
  let rest = 0;
  for (const sign of signs) {
    const value = Number.parseInt(sign, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return /[A-Z0-9]\d\d$/.test(signs) && rest === 1;
}
