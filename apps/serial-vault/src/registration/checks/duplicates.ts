import { checkSerial, decodeAssertion } from '#libs/assertions';
import {
  countSupersessions,
  findHolders,
  findPending,
  findVaultDevice,
  type Holder,
  type VaultDevice,
} from '#libs/database';
import { refuse } from '../../refusal.js';
import { known, type Attempt, type Decision } from '../attempt.js';
import type { CheckContext } from './context.js';
import { awaitOrder, refuseByOperator } from './late-order.js';

/** Step 15: the four situations of serial-vault.md 6.3. */
export async function checkDuplicates(attempt: Attempt, context: CheckContext): Promise<void> {
  const found = await findHolders(context.tx, attempt.ref, attempt.deviceKeyId);
  // Without a request nothing proves that the key is theirs who ask: what it is to another brand stays there.
  const isDry = attempt.parts === undefined;
  const holders = found.filter(({ brandId }) => !isDry || brandId === attempt.brandId);
  const device = await findVaultDevice(context.tx, attempt.ref);
  if (device?.deviceKeyId === attempt.deviceKeyId) {
    attempt.decision = await sameDevice(attempt, device, context);
    return;
  }
  refuseOtherSerial(attempt, holders);
  const other = holders.find(
    (one) => isSerialOf(one, attempt) && one.deviceKeyId !== attempt.deviceKeyId,
  );
  attempt.decision =
    other === undefined
      ? { kind: 'sign', revision: 0 }
      : await sameSerialOtherKey(attempt, other, device, context);
  refuseWhileUnderWay(attempt, holders, device);
  const { unlistedDays, decision } = attempt;
  if (unlistedDays !== undefined && decision.kind === 'sign')
    attempt.decision = await awaitOrder(attempt, context, unlistedDays, decision);
}

/** S1: a lost answer. The stored assertion again, unless the device would not accept it any more. */
async function sameDevice(
  attempt: Attempt,
  device: VaultDevice,
  { trusted, now }: CheckContext,
): Promise<Decision> {
  const again: Decision = { kind: 'sign', revision: device.revision + 1 };
  // Of what a former vault signed there is no copy to repeat.
  if (device.bytes === null) return again;
  const serial = decodeAssertion(device.bytes);
  const verdict = checkSerial({
    serial,
    model: attempt.modelAssertion,
    database: trusted,
    now,
  });
  return verdict.valid ? { kind: 'repeat', device, serial } : again;
}

/** Another key is being given the serial this moment; 503, and the device comes back in a minute. */
function refuseWhileUnderWay(
  attempt: Attempt,
  holders: readonly Holder[],
  device: VaultDevice | null,
): void {
  if (attempt.decision?.kind !== 'sign') return;
  const isSettled = ({ deviceKeyId }: Holder): boolean =>
    deviceKeyId === attempt.deviceKeyId || deviceKeyId === device?.deviceKeyId;
  if (holders.every((one) => !isSerialOf(one, attempt) || isSettled(one))) return;
  refuse('busy', 'cannot decide now: the serial is being registered by another device');
}

/** S3 and S4: the key has another serial, here or under another model; only a remodel may bring it along. */
function refuseOtherSerial(attempt: Attempt, holders: readonly Holder[]): void {
  const origin = attempt.remodel?.device;
  for (const holder of holders) {
    if (holder.deviceKeyId !== attempt.deviceKeyId || isSerialOf(holder, attempt)) continue;
    const isOrigin =
      origin?.brandId === holder.brandId &&
      origin.model === holder.model &&
      origin.serial === holder.serial;
    if (isOrigin) continue;
    const isSameModel = holder.brandId === attempt.brandId && holder.model === attempt.model;
    refuse(
      'duplicate-device-key',
      isSameModel
        ? 'cannot register: this device key has another serial of this model; a copied disk image must make its own key'
        : 'cannot register: this device key belongs to a device of another model; it can only come by a remodel',
    );
  }
}

/** S2: a re-flashed device, a repaired one, or a clone; the model's policy says which is assumed. */
async function sameSerialOtherKey(
  attempt: Attempt,
  other: Holder,
  device: VaultDevice | null,
  { tx }: CheckContext,
): Promise<Decision> {
  const { policy } = known(attempt.registered, 'the model');
  const pending = await findPending(tx, attempt.holder);
  if (pending?.state === 'refused') refuseByOperator(attempt.serial);
  if (pending?.state === 'approved') return reissue(device, pending.decidedBy ?? '');
  switch (policy.duplicates) {
    case 'allow':
      return reissue(device);
    case 'reissue': {
      const before = await countSupersessions(tx, attempt.ref, policy.reissueDays);
      if (before < policy.reissueLimit) return reissue(device);
      return refuse(
        'duplicate-serial',
        `cannot register serial ${attempt.serial} again: it was re-issued ${before} times in ${policy.reissueDays} days`,
      );
    }
    case 'hold':
      return {
        kind: 'hold',
        why: 'duplicate',
        formerDeviceKeyId: other.deviceKeyId,
        days: policy.pendingDays,
        isNew: pending === null,
      };
    case 'refuse':
      return refuse(
        'duplicate-serial',
        `cannot register serial ${attempt.serial}: another device key has it`,
      );
  }
}

function reissue(device: VaultDevice | null, operator?: string): Decision {
  return {
    kind: 'sign',
    revision: (device?.revision ?? -1) + 1,
    ...(device && { supersedes: device }),
    ...(operator !== undefined && { operator }),
  };
}

const isSerialOf = (holder: Holder, { brandId, model, serial }: Attempt): boolean =>
  holder.brandId === brandId && holder.model === model && holder.serial === serial;
