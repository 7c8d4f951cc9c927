import { deviceKeyOf, header, type Assertion } from '#libs/assertions';
import {
  findRemodelRule,
  findVaultDevice,
  VaultModelPolicyRow,
  VaultSupersededKey,
  type Tx,
  type VaultDevice,
  type VaultRemodelRule,
} from '#libs/database';
import { refuse } from '../../refusal.js';
import { known, type Attempt } from '../attempt.js';
import { findRegisteredModel } from '../registered-model.js';
import type { CheckContext } from './context.js';

const ORIGINALS = [
  ['original-brand-id', 'brand-id'],
  ['original-model', 'model'],
  ['original-serial', 'serial'],
] as const;

/** Step 12: a device that becomes another model proves what it was, and a rule of the brand allows it (serial-vault.md 10.4). */
export async function checkRemodel(attempt: Attempt, context: CheckContext): Promise<void> {
  const { serialRequest, oldSerial } = known(attempt.parts, 'the request');
  if (oldSerial === undefined) return;
  requireSameIdentity(serialRequest, oldSerial);
  const device = await requireCurrent(context, attempt, oldSerial);
  attempt.remodel = { device, rule: await requireRule(context, attempt, device) };
}

function requireSameIdentity(request: Assertion, oldSerial: Assertion): void {
  for (const [original, name] of ORIGINALS) {
    if (header(request, original) === header(oldSerial, name)) continue;
    refuse(
      'mismatched-original',
      `cannot remodel: "${original}" is not the "${name}" of the old serial assertion`,
    );
  }
  if (deviceKeyOf(oldSerial).id !== deviceKeyOf(request).id) {
    refuse(
      'mismatched-original',
      'cannot remodel: the old serial assertion belongs to another device key',
    );
  }
}

/** The old serial is what this vault last gave that device; whatever key of the old model's policies signed it. */
async function requireCurrent(
  context: CheckContext,
  attempt: Attempt,
  oldSerial: Assertion,
): Promise<VaultDevice> {
  const [brandId, model, serial] = ORIGINALS.map(([, name]) => header(oldSerial, name)) as [
    string,
    string,
    string,
  ];
  if (brandId !== attempt.brandId) {
    refuse(
      'remodel-not-allowed',
      `cannot remodel from ${brandId}/${model}: it belongs to another brand`,
    );
  }
  const { tx } = context;
  const device = await findVaultDevice(tx, { brandId, model, serial });
  if (device !== null && device.revokedAt === null && isLatest(device, oldSerial, context))
    return device;
  const deviceKeyId = deviceKeyOf(oldSerial).id;
  const wasOurs =
    device?.deviceKeyId === deviceKeyId ||
    (await tx.existsBy(VaultSupersededKey, { brandId, model, deviceKeyId }));
  if (wasOurs && !(await isPolicyKey(tx, brandId, model, oldSerial.signKeyId))) {
    refuse(
      'mismatched-original',
      'cannot remodel: the old serial assertion is signed by a foreign key',
    );
  }
  return refuse(
    'remodel-not-allowed',
    `cannot remodel from ${model}: serial ${serial} is not registered here, or its assertion is revoked or superseded`,
  );
}

/** What a former vault signed is known by its revision, and by a key of the brand that signed it. */
function isLatest(
  device: VaultDevice,
  oldSerial: Assertion,
  { trusted, now }: CheckContext,
): boolean {
  if (device.bytes !== null) return device.bytes.equals(oldSerial.bytes);
  return (
    device.deviceKeyId === deviceKeyOf(oldSerial).id &&
    device.revision === oldSerial.revision &&
    header(oldSerial, 'authority-id') === device.brandId &&
    trusted.check(oldSerial, now).valid
  );
}

async function isPolicyKey(
  tx: Tx,
  brandId: string,
  model: string,
  keyId: string,
): Promise<boolean> {
  return tx
    .createQueryBuilder(VaultModelPolicyRow, 'row')
    .where(
      `row.brand_id = :brandId AND row.model = :model AND row.policy ->> 'signingKeyId' = :keyId`,
      {
        brandId,
        model,
        keyId,
      },
    )
    .getExists();
}

async function requireRule(
  { tx }: CheckContext,
  attempt: Attempt,
  device: VaultDevice,
): Promise<VaultRemodelRule> {
  const { brandId, model } = attempt;
  const why = (reason: string): string =>
    `cannot remodel from ${device.model} to ${model}: ${reason}`;
  const former = await findRegisteredModel(tx, brandId, device.model);
  const { needsApiKey } = known(attempt.registered, 'the model').policy;
  if (former !== null && former.policy.needsApiKey !== needsApiKey)
    refuse('remodel-not-allowed', why('one of them needs an API key, the other does not'));
  const rule = await findRemodelRule(tx, device, model);
  return rule ?? refuse('remodel-not-allowed', why('no rule of the brand allows it'));
}
