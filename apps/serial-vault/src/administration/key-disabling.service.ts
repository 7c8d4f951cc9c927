import {
  recordVaultAudit,
  VaultDevice,
  VaultModelPolicyRow,
  VaultSigningKey,
  type Tx,
} from '#libs/database';
import type { VaultResources } from '../resources.js';
import { actorOf, identityOf, type VaultPrincipal } from './token.service.js';
import { found, VaultError } from './vault-error.js';

/** A model whose serials a key signs, and how many devices it has so far. */
export interface KeyDependent {
  readonly model: string;
  readonly devices: number;
}

/**
 * Ends and returns of signing keys. A key that is in use is disabled by two: one proposes, naming its models, another one,
 * who is shown models and devices, names them once more (serial-vault.md 11.3, 13): a line that stands still by a slip
 * costs weeks (11.1).
 */
export class KeyDisablingService {
  constructor(private readonly resources: Pick<VaultResources, 'db'>) {}

  /** Models whose policy in force names this key. */
  dependents(brandId: string, keyId: string): Promise<KeyDependent[]> {
    return this.resources.db.asBrand(brandId, (tx) => dependentsOf(tx, brandId, keyId));
  }

  /** At once where nothing depends on it; else somebody else has to confirm. Throws `conflict` for models that are not named. */
  disable(
    who: VaultPrincipal,
    brandId: string,
    keyId: string,
    confirmed: readonly string[],
  ): Promise<void> {
    return this.act(brandId, keyId, async (tx) => {
      const dependents = await requireNamed(tx, brandId, keyId, confirmed);
      if (dependents.length === 0) return end(tx, who, { brandId, keyId, dependents });
      const disablingBy = identityOf(who);
      const at = { disablingAt: () => 'app.now()' };
      await tx.update(VaultSigningKey, { keyId, brandId }, { disablingBy, ...at });
      return audit(tx, who, 'propose-key-disabling', { brandId, keyId, dependents });
    });
  }

  /** By somebody else than who proposed it. Throws `conflict` for models that are not named. */
  confirm(
    who: VaultPrincipal,
    brandId: string,
    keyId: string,
    confirmed: readonly string[],
  ): Promise<void> {
    return this.act(brandId, keyId, async (tx, { disablingBy, isEnabled }) => {
      if (disablingBy === null || !isEnabled)
        throw new VaultError('conflict', 'cannot confirm: nobody proposed to disable the key');
      if (disablingBy === identityOf(who))
        throw new VaultError('forbidden', 'cannot confirm the own proposal: a second person must');
      const dependents = await requireNamed(tx, brandId, keyId, confirmed);
      return end(tx, who, { brandId, keyId, dependents });
    });
  }

  /** Takes a proposal back, too. */
  enable(who: VaultPrincipal, brandId: string, keyId: string): Promise<void> {
    return this.act(brandId, keyId, async (tx) => {
      const change = { isEnabled: true, disablingBy: null, disablingAt: null };
      await tx.update(VaultSigningKey, { keyId, brandId }, change);
      return audit(tx, who, 'enable-signing-key', { brandId, keyId, dependents: [] });
    });
  }

  private act(
    brandId: string,
    keyId: string,
    perform: (tx: Tx, key: VaultSigningKey) => Promise<void>,
  ): Promise<void> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const lock = { mode: 'pessimistic_write' } as const;
      const key = await tx.findOne(VaultSigningKey, { where: { keyId, brandId }, lock });
      await perform(tx, found(key, `signing key ${keyId}`));
    });
  }
}

interface Ended {
  readonly brandId: string;
  readonly keyId: string;
  readonly dependents: readonly KeyDependent[];
}

async function end(tx: Tx, who: VaultPrincipal, ended: Ended): Promise<void> {
  const { brandId, keyId } = ended;
  const change = { isEnabled: false, disablingBy: null, disablingAt: null };
  await tx.update(VaultSigningKey, { keyId, brandId }, change);
  await audit(tx, who, 'disable-signing-key', ended);
}

function audit(
  tx: Tx,
  who: VaultPrincipal,
  action: string,
  { brandId, keyId, dependents }: Ended,
): Promise<void> {
  const detail = { dependents };
  return recordVaultAudit(tx, { brandId, actor: actorOf(who), action, subject: keyId, detail });
}

/** Throws `conflict`, with models and devices, unless all that depends on the key is named. */
async function requireNamed(
  tx: Tx,
  brandId: string,
  keyId: string,
  confirmed: readonly string[],
): Promise<KeyDependent[]> {
  const dependents = await dependentsOf(tx, brandId, keyId);
  const missing = dependents.filter(({ model }) => !confirmed.includes(model));
  if (missing.length === 0) return dependents;
  const listed = missing.map(({ model, devices }) => `${model} (${devices} devices)`).join(', ');
  throw new VaultError(
    'conflict',
    `cannot disable the key without confirmation: it signs serials of ${listed}`,
  );
}

async function dependentsOf(tx: Tx, brandId: string, keyId: string): Promise<KeyDependent[]> {
  const rows = await tx.find(VaultModelPolicyRow, {
    where: { brandId },
    order: { revision: 'ASC' },
  });
  const latest = new Map(rows.map((row) => [row.model, row.policy.signingKeyId]));
  const dependents: KeyDependent[] = [];
  for (const [model, used] of latest)
    if (used === keyId)
      dependents.push({ model, devices: await tx.countBy(VaultDevice, { brandId, model }) });
  return dependents;
}
