import { randomUUID } from 'node:crypto';
import {
  recordVaultAudit,
  VaultBlockedDeviceKey,
  VaultModel,
  VaultRemodelRule,
  NO_BRAND,
  type Tx,
} from '#libs/database';
import type { VaultResources } from '../resources.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, requireId, VaultError } from './vault-error.js';

const MAX_RULES = 10_000;
/** As many rows as one statement has parameters for. */
const CHUNK = 1000;

export interface RemodelOrder {
  readonly fromModel: string;
  readonly toModel: string;
  /** Left out: all devices of the model. */
  readonly fromSerial?: string | undefined;
  /** Makes `fromSerial` the first of a range: serials of the same length. */
  readonly toSerial?: string | undefined;
  /** Only serials that were listed with this batch. */
  readonly batch?: string | undefined;
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
  readonly maxUses?: number | undefined;
  readonly note?: string | undefined;
}

/** Which models devices may become, and keys that must not be devices. */
export class EnrolmentService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

  /** All or none. */
  allowRemodels(
    who: VaultPrincipal,
    brandId: string,
    orders: readonly RemodelOrder[],
  ): Promise<VaultRemodelRule[]> {
    requireRules(orders);
    return this.resources.db.asBrand(brandId, async (tx) => {
      for (const model of new Set(orders.flatMap((one) => [one.fromModel, one.toModel])))
        found(await tx.findOneBy(VaultModel, { brandId, model }), `model ${model}`);
      const rows = orders.map((order) => toRow(brandId, order));
      for (let at = 0; at < rows.length; at += CHUNK)
        await tx.insert(VaultRemodelRule, rows.slice(at, at + CHUNK));
      const ids = rows.map(({ id }) => id);
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'allow-remodel',
        subject: ids[0] ?? '',
        detail: { rules: orders.length, first: { ...orders[0] } },
      });
      return findRules(tx, brandId, ids);
    });
  }

  /** All or none; one that has ended stays as it is. */
  endRemodelRules(
    who: VaultPrincipal,
    brandId: string,
    ids: readonly string[],
  ): Promise<VaultRemodelRule[]> {
    for (const id of ids) requireId(id, 'remodel rule');
    return this.resources.db.asBrand(brandId, async (tx) => {
      const known = new Set((await findRules(tx, brandId, ids)).map(({ id }) => id));
      const missing = ids.find((id) => !known.has(id.toLowerCase()));
      if (missing !== undefined) found(null, `remodel rule ${missing}`);
      await tx.query(
        `UPDATE vault.remodel_rules SET ended_at = coalesce(ended_at, app.now())
         WHERE brand_id = $1 AND id = ANY ($2)`,
        [brandId, ids],
      );
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'end-remodel-rule',
        subject: ids[0] ?? '',
        detail: { rules: ids.length },
      });
      return findRules(tx, brandId, ids);
    });
  }

  remodelRules(brandId: string): Promise<VaultRemodelRule[]> {
    return this.resources.db.asBrand(brandId, (tx) =>
      tx.find(VaultRemodelRule, { where: { brandId }, order: { createdAt: 'ASC' }, take: 1000 }),
    );
  }

  /** For the whole vault: a key that got out, or that a bad batch shares. */
  blockDeviceKey(who: VaultPrincipal, deviceKeyId: string, reason: string): Promise<void> {
    return this.resources.db.asSystem(async (tx) => {
      await tx.upsert(VaultBlockedDeviceKey, { deviceKeyId, reason }, ['deviceKeyId']);
      await recordVaultAudit(tx, {
        brandId: NO_BRAND,
        actor: actorOf(who),
        action: 'block-device-key',
        subject: deviceKeyId,
        reason,
      });
    });
  }
}

/** In the order of `ids`. */
async function findRules(
  tx: Tx,
  brandId: string,
  ids: readonly string[],
): Promise<VaultRemodelRule[]> {
  return tx
    .createQueryBuilder(VaultRemodelRule, 'rule')
    .where('rule.brand_id = :brandId AND rule.id = ANY (:ids)', { brandId, ids })
    .orderBy('array_position(:ids ::uuid[], rule.id)')
    .getMany();
}

function requireRules(orders: readonly RemodelOrder[]): void {
  const isRange = ({ fromSerial = '', toSerial }: RemodelOrder): boolean =>
    toSerial === undefined || (fromSerial.length === toSerial.length && fromSerial <= toSerial);
  const problems = orders.flatMap((order, index) => {
    const message = 'is no end of a range that begins at fromSerial';
    return isRange(order) ? [] : [{ path: `rules[${index}].toSerial`, message }];
  });
  if (orders.length === 0 || orders.length > MAX_RULES)
    problems.push({ path: 'rules', message: `1 to ${MAX_RULES} at once` });
  if (problems.length > 0)
    throw new VaultError('invalid', 'cannot make these remodel rules', problems.slice(0, 100));
}

function toRow(
  brandId: string,
  order: RemodelOrder,
): Omit<VaultRemodelRule, 'uses' | 'endedAt' | 'createdAt'> {
  const { fromModel, toModel, fromSerial = null, toSerial = null, batch = null } = order;
  const { notBefore = null, notAfter = null, maxUses = null, note = '' } = order;
  const whom = { fromModel, toModel, fromSerial, toSerial, batch };
  return { id: randomUUID(), brandId, ...whom, notBefore, notAfter, maxUses, note };
}
