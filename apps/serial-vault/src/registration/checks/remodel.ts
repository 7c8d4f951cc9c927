import { deviceKeyOf, header, type Assertion } from '#libs/assertions';
import {
  findVaultDevice,
  VaultModelPolicyRow,
  VaultRemodelRule,
  VaultSupersededKey,
  type Tx,
  type VaultDevice,
} from '#libs/database';
import { refuse } from '../../refusal.js';
import { known, type Attempt } from '../attempt.js';
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
  const device = await requireCurrent(context.tx, attempt, oldSerial);
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
  tx: Tx,
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
  const device = await findVaultDevice(tx, { brandId, model, serial });
  if (device?.bytes.equals(oldSerial.bytes) && device.revokedAt === null) return device;
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
  { tx, now }: CheckContext,
  { brandId, model }: Attempt,
  device: VaultDevice,
): Promise<VaultRemodelRule> {
  const rules = await tx.findBy(VaultRemodelRule, {
    brandId,
    fromModel: device.model,
    toModel: model,
  });
  const rule = rules.find(
    (one) => isInForce(one, now) && (one.fromSerial ?? device.serial) === device.serial,
  );
  if (rule !== undefined) return rule;
  return refuse(
    'remodel-not-allowed',
    `cannot remodel from ${device.model} to ${model}: no rule of the brand allows it`,
  );
}

function isInForce(rule: VaultRemodelRule, now: Date): boolean {
  if (rule.endedAt !== null) return false;
  if (rule.notBefore !== null && rule.notBefore > now) return false;
  if (rule.notAfter !== null && rule.notAfter <= now) return false;
  return rule.maxUses === null || rule.uses < rule.maxUses;
}
