import { STRICT_SERIAL } from '#libs/assertions';

export const MAX_SERIAL = 128;

/** Newer parts of snapd insist on the strict form; what older devices bear is legacy (serial-vault.md 5). */
export type SerialForm = 'strict' | 'legacy';

export function isSerial(serial: string, form: SerialForm): boolean {
  const isLegacy =
    serial.length <= MAX_SERIAL && !/[/\u0000-\u001f\u007f]/.test(serial) && serial.trim() !== '';
  return isLegacy && (form === 'legacy' || STRICT_SERIAL.test(serial));
}
