import { quote } from '../headers.js';
import { ACCOUNT_ID, MODEL, STRICT_SERIAL } from '../names.js';
import { breaksRule } from '../values.js';

/** Checks a device id of the form `serial.model.brand`. */
export function parseDeviceId(text: string, headerName: string): void {
  const [serial = '', model = '', brand = '', ...rest] = text.split('.');
  if (
    rest.length === 0 &&
    STRICT_SERIAL.test(serial) &&
    MODEL.test(model) &&
    ACCOUNT_ID.test(brand)
  )
    return;
  breaksRule(`${quote(text)} is not a device id of the form serial.model.brand`, headerName);
}
