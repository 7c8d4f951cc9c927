import type { Tx } from '../../database.js';
import { VaultRemodelRule } from '../entities/index.js';
import type { SerialRef } from './device-registration.repository.js';

/** The rule that lets this device become `toModel` now (serial-vault.md 10.4), or null; one that nothing uses up is preferred. */
export async function findRemodelRule(
  tx: Tx,
  device: SerialRef,
  toModel: string,
): Promise<VaultRemodelRule | null> {
  const { brandId, model, serial } = device;
  return tx
    .createQueryBuilder(VaultRemodelRule, 'rule')
    .where('rule.brand_id = :brandId AND rule.from_model = :model AND rule.to_model = :toModel')
    .andWhere(
      `rule.ended_at IS NULL AND coalesce(rule.not_before <= app.now(), true)
       AND coalesce(rule.not_after > app.now(), true) AND coalesce(rule.uses < rule.max_uses, true)`,
    )
    .andWhere(
      `(rule.from_serial IS NULL OR rule.from_serial = :serial
        OR (length(rule.from_serial) = length(:serial)
            AND :serial COLLATE "C" BETWEEN rule.from_serial AND rule.to_serial))`,
    )
    .andWhere(
      `(rule.batch IS NULL OR rule.batch = (SELECT batch FROM vault.listed_serials
         WHERE brand_id = :brandId AND model = :model AND serial = :serial))`,
    )
    .setParameters({ brandId, model, serial, toModel })
    .orderBy('rule.max_uses', 'DESC', 'NULLS FIRST')
    .limit(1)
    .getOne();
}

/** Counts a use; false when others have used the rule up meanwhile. */
export async function useRemodelRule(tx: Tx, id: string): Promise<boolean> {
  const [, changed] = await tx.query<[unknown, number]>(
    `UPDATE vault.remodel_rules SET uses = uses + 1 WHERE id = $1 AND coalesce(uses < max_uses, true)`,
    [id],
  );
  return changed === 1;
}
