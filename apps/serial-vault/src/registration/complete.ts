import { decodeAssertion, type Assertion } from '#libs/assertions';
import {
  appendSigningLog,
  endReservation,
  findVaultDevice,
  lockRegistration,
  VaultApiKey,
  VaultDevice,
  VaultListedSerial,
  VaultPending,
  VaultSupersededKey,
  useRemodelRule,
  type SigningLogEntry,
  type Tx,
} from '#libs/database';
import { addDeviceEvent } from '../events/device-event.js';
import { refuse } from '../refusal.js';
import type { VaultResources } from '../resources.js';
import { known, type Attempt, type Decision } from './attempt.js';
import { logEntry } from './log-entry.js';

type Signing = Extract<Decision, { kind: 'sign' }>;

export interface Completion {
  readonly kind: 'signed' | 'repeated';
  readonly serial: Assertion;
}

/** Serial and signing log become true together; when this has committed, the answer may leave (serial-vault.md 4.2). */
export async function completeRegistration(
  { db }: VaultResources,
  attempt: Attempt,
  decision: Signing,
  serial: Assertion,
): Promise<Completion> {
  return db.asSystem(async (tx) => {
    // Who decides on this serial or key at this moment must see either the reservation or the device.
    await lockRegistration(tx, attempt.ref, attempt.deviceKeyId);
    if (!(await endReservation(tx, attempt.holder))) return finishedByTwin(tx, attempt);
    await storeDevice(tx, attempt, decision, serial);
    if (decision.supersedes !== undefined)
      await supersede(tx, decision.supersedes, decision.operator);
    if (attempt.remodel !== undefined) await leaveOldModel(tx, attempt);
    const { apiKey, ref } = attempt;
    await tx.delete(VaultPending, { ...attempt.holder, state: 'waiting' });
    await tx.update(VaultListedSerial, ref, { usedAt: () => 'coalesce(used_at, app.now())' });
    if (apiKey !== null) {
      const counted = { useCount: () => 'use_count + 1', lastUsedAt: () => 'app.now()' };
      await tx.update(VaultApiKey, { id: apiKey.id }, counted);
    }
    await appendSigningLog(tx, signedEntry(attempt, decision, serial));
    return { kind: 'signed', serial };
  });
}

/** The same request ran twice and the other one was faster: its serial counts, ours is thrown away unseen. */
async function finishedByTwin(tx: Tx, attempt: Attempt): Promise<Completion> {
  const device = await findVaultDevice(tx, attempt.ref);
  if (device?.deviceKeyId !== attempt.deviceKeyId || device.bytes === null) {
    return refuse(
      'signing-failed',
      'cannot finish: the serial was reserved by another request meanwhile; the device asks again by itself',
    );
  }
  await appendSigningLog(tx, {
    ...logEntry(attempt),
    brandId: attempt.brandId,
    outcome: 'repeated',
    revision: device.revision,
    signKeyId: device.signKeyId,
  });
  return { kind: 'repeated', serial: decodeAssertion(device.bytes) };
}

async function storeDevice(
  tx: Tx,
  attempt: Attempt,
  decision: Signing,
  serial: Assertion,
): Promise<void> {
  const row = {
    ...attempt.holder,
    revision: decision.revision,
    signKeyId: serial.signKeyId,
    bytes: serial.bytes,
    apiKeyId: attempt.apiKey?.id ?? null,
    signedAt: () => 'app.now()',
  };
  if (decision.revision === 0) {
    await tx.insert(VaultDevice, row);
    return;
  }
  const { affected } = await tx
    .createQueryBuilder()
    .update(VaultDevice)
    .set(row)
    .where('brand_id = :brandId AND model = :model AND serial = :serial', attempt.ref)
    .andWhere('revision = :former AND revoked_at IS NULL', { former: decision.revision - 1 })
    .execute();
  if (affected !== 1)
    refuse(
      'busy',
      'cannot finish: the device was changed meanwhile; the device asks again by itself',
    );
}

/** The former key loses the serial for good, and the store ends its sessions (serial-vault.md 6.3). */
async function supersede(tx: Tx, former: VaultDevice, operator: string | undefined): Promise<void> {
  const { brandId, model, serial, deviceKeyId } = former;
  await tx.insert(VaultSupersededKey, { brandId, model, serial, deviceKeyId });
  const reason =
    operator === undefined ? 'issued again to another device key' : `approved by ${operator}`;
  await addDeviceEvent(tx, { kind: 'superseded', brandId, model, serial, deviceKeyId, reason });
}

async function leaveOldModel(tx: Tx, attempt: Attempt): Promise<void> {
  const { device, rule } = known(attempt.remodel, 'the old model');
  const { brandId, model, serial } = device;
  await tx.update(VaultDevice, { brandId, model, serial }, { remodelledTo: attempt.model });
  const to = { model: attempt.model, serial: attempt.serial };
  const reason = `remodelled by rule ${rule.id}`;
  await addDeviceEvent(tx, {
    kind: 'remodelled',
    brandId,
    model,
    serial,
    deviceKeyId: null,
    to,
    reason,
  });
  if (!(await useRemodelRule(tx, rule.id)))
    refuse(
      'busy',
      'cannot finish: the rule was used up meanwhile; the device asks again by itself',
    );
}

function signedEntry(attempt: Attempt, decision: Signing, serial: Assertion): SigningLogEntry {
  return {
    ...logEntry(attempt),
    brandId: attempt.brandId,
    outcome: 'signed',
    revision: decision.revision,
    signKeyId: serial.signKeyId,
    serialRequest: known(attempt.parts, 'the request').serialRequest.bytes.toString(),
    serialText: serial.bytes.toString(),
    operator: decision.operator ?? '',
  };
}
