import { randomUUID } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { isScalar, isMap, parseDocument } from 'yaml';
import {
  countOtherDevices,
  lockModel,
  lockRegistration,
  VaultDevice,
  VaultListedSerial,
  type EnrolmentPolicy,
} from '#libs/database';
import { refuse } from '../../refusal.js';
import { known, type Attempt } from '../attempt.js';
import { hasCheckDigit } from '../check-digit.js';
import { refuseUnlisted } from './late-order.js';
import { isSerial, MAX_SERIAL, type SerialForm } from '../serial-form.js';
import type { CheckContext } from './context.js';

const MAX_YAML_BYTES = 16_384;
const PATTERN_MS = 100;

/**
 * Step 13: where the serial comes from, its form, and whether the model takes it now (serial-vault.md 6.1, 6.3). From here
 * on requests for this serial and of this device key wait for each other.
 */
export async function checkSerialPolicy(attempt: Attempt, context: CheckContext): Promise<void> {
  const { policy } = known(attempt.registered, 'the model');
  const { enrolment } = policy;
  attempt.serial = enrolment.assigned
    ? await assignedSerial(attempt, context)
    : wellFormed(proposedSerial(attempt), policy.serialForm);
  if (!enrolment.assigned) {
    checkPattern(attempt.serial, enrolment.pattern);
    checkDigitOf(attempt.serial, enrolment.checkDigit);
  }
  if (enrolment.quota !== undefined || attempt.apiKey?.quota != null)
    await lockModel(context.tx, attempt.brandId, attempt.model);
  await lockRegistration(context.tx, attempt.ref, attempt.deviceKeyId);
  // A device that has its serial already only repeats: nothing is enrolled.
  if (await context.tx.existsBy(VaultDevice, attempt.holder)) return;
  checkWindow(enrolment.window, context.now);
  if (enrolment.list) await checkListed(attempt, context, enrolment.lateDays);
  await checkQuota(attempt, context, enrolment.quota);
}

/** A known device key gets its former serial again. */
async function assignedSerial(
  { brandId, model, deviceKeyId }: Attempt,
  { tx }: CheckContext,
): Promise<string> {
  const former = await tx.findOneBy(VaultDevice, { brandId, model, deviceKeyId });
  return former?.serial ?? randomUUID();
}

/** The header, else `serial` in the YAML of the body; after a remodel else the original one. */
function proposedSerial({ proposedSerial, parts, remodel }: Attempt): string {
  const serial =
    proposedSerial ||
    (parts ? serialInBody(parts.serialRequest.body) : '') ||
    remodel?.device.serial ||
    '';
  if (serial !== '') return serial;
  return refuse(
    'missing-serial',
    'cannot register without a serial: the gadget must set registration.proposed-serial, or "serial" in registration.body',
  );
}

/** Texts only: a number like `0012` must stay what is printed on the label, and aliases could blow up. */
function serialInBody(body: Buffer): string {
  if (body.length === 0 || body.length > MAX_YAML_BYTES) return '';
  const document = parseDocument(body.toString(), { schema: 'failsafe', logLevel: 'silent' });
  if (document.errors.length > 0 || !isMap(document.contents)) return '';
  const serial = document.contents.get('serial', true);
  return isScalar(serial) && typeof serial.value === 'string' ? serial.value : '';
}

function wellFormed(serial: string, form: SerialForm): string {
  if (isSerial(serial, form)) return serial;
  return refuse(
    'bad-serial',
    `cannot use serial ${JSON.stringify(serial.slice(0, 40))}: letters and digits, single ":", "+" or "-" between them, at most ${MAX_SERIAL}`,
  );
}

/** In a context of its own with a time limit: a brand's careless pattern must not stop the others' devices. */
function checkPattern(serial: string, pattern: string | undefined): void {
  if (pattern === undefined) return;
  let isMatch: unknown;
  try {
    isMatch = runInNewContext(
      'new RegExp(`^(?:${pattern})$`, "u").test(serial)',
      { pattern, serial },
      { timeout: PATTERN_MS },
    );
  } catch {
    isMatch = false;
  }
  if (isMatch !== true)
    refuse('bad-serial', `cannot use serial ${serial}: it does not fit the pattern of this model`);
}

function checkDigitOf(serial: string, rule: EnrolmentPolicy['checkDigit']): void {
  if (rule === undefined || hasCheckDigit(serial, rule)) return;
  refuse('bad-serial', `cannot use serial ${serial}: its check digit (${rule}) is wrong`);
}

function checkWindow(window: EnrolmentPolicy['window'], now: Date): void {
  if (window?.from !== undefined && now < new Date(window.from)) {
    refuse('outside-window', `cannot register yet: registration opens at ${window.from}`);
  }
  if (window?.until !== undefined && now >= new Date(window.until)) {
    refuse(
      'outside-window',
      `cannot register any more: registration was open from ${window.from ?? 'the beginning'} until ${window.until}`,
    );
  }
}

/** Where orders arrive late, the serial is judged with the duplicates, which may hold it (serial-vault.md 6.3). */
async function checkListed(
  attempt: Attempt,
  { tx }: CheckContext,
  lateDays: number | undefined,
): Promise<void> {
  const { ref } = attempt;
  if (await tx.existsBy(VaultListedSerial, ref)) return;
  if (lateDays !== undefined) {
    attempt.unlistedDays = lateDays;
    return;
  }
  refuseUnlisted(ref.serial);
}

async function checkQuota(
  { ref, apiKey }: Attempt,
  { tx }: CheckContext,
  quota: number | undefined,
): Promise<void> {
  const keyQuota = apiKey?.quota ?? undefined;
  if (quota === undefined && keyQuota === undefined) return;
  const { ofModel, ofApiKey } = await countOtherDevices(tx, ref, apiKey?.id ?? null);
  if (quota !== undefined && ofModel >= quota) {
    refuse('quota-exhausted', `cannot register: all ${quota} devices of this model are registered`);
  }
  if (keyQuota !== undefined && ofApiKey >= keyQuota) {
    refuse('quota-exhausted', `cannot register: the API key was good for ${keyQuota} devices`);
  }
}
