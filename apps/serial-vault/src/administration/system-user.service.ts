import {
  AssertionError,
  encodeAssertions,
  header,
  signAssertion,
  systemUserAuthorityOf,
  type Assertion,
} from '#libs/assertions';
import { recordVaultAudit, VaultModel, VaultSigningKey, type Tx } from '#libs/database';
import type { VaultResources } from '../resources.js';
import { assertionOf } from './model.service.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, VaultError } from './vault-error.js';

/** Longest life of a system-user (serial-vault.md 14). */
const MAX_DAYS = 30;
const DAY_MS = 86_400_000;

export interface SystemUserOrder {
  readonly email: string;
  readonly name: string;
  readonly username: string;
  /** A crypt(3) text of SHA-512 or higher: the vault never sees a password. */
  readonly passwordHash?: string | undefined;
  readonly sshKeys?: readonly string[] | undefined;
  readonly models: readonly string[];
  /** Only these devices; then `models` names one. */
  readonly serials?: readonly string[] | undefined;
  readonly until: Date;
}

export interface SystemUser {
  readonly email: string;
  readonly until: Date;
  /** Account, account-key and system-user: the content of `auto-import.assert`. */
  readonly autoImport: string;
}

/** A login on devices, signed with a key that is for nothing else (serial-vault.md 14). */
export class SystemUserService {
  constructor(private readonly resources: VaultResources) {}

  async create(who: VaultPrincipal, brandId: string, order: SystemUserOrder): Promise<SystemUser> {
    const { db, trust } = this.resources;
    const now = db.clock.now();
    requireOrder(order, now);
    const { keyId, authority } = await this.findKey(brandId);
    await db.asBrand(brandId, (tx) => requireModels(tx, brandId, order.models, authority));
    const assertion = await this.sign(brandId, order, keyId, authority, now);
    const trusted = (await trust.database()).overlaid();
    const verdict = trusted.addBatch([assertion], now);
    if (!verdict.valid)
      throw new VaultError('invalid', `cannot sign the system-user: ${verdict.message}`);
    const { email, username, models, serials = [], until } = order;
    await db.asBrand(brandId, (tx) =>
      recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'create-system-user',
        subject: email,
        detail: { username, models, serials, until: until.toISOString(), keyId },
      }),
    );
    const chain = await trust.chainOf(assertion);
    return { email, until, autoImport: encodeAssertions([...chain, assertion]).toString() };
  }

  /** The newest enabled key for system-users whose account-key is held. */
  private async findKey(brandId: string): Promise<{ keyId: string; authority: string }> {
    const { db, trust } = this.resources;
    const trusted = await trust.database();
    const keys = await db.asBrand(brandId, (tx) =>
      tx.find(VaultSigningKey, {
        where: { brandId, purpose: 'system-user', isEnabled: true },
        order: { createdAt: 'DESC' },
      }),
    );
    for (const { keyId } of keys) {
      const accountKey = trusted.find('account-key', [keyId]);
      if (accountKey !== undefined) return { keyId, authority: header(accountKey, 'account-id') };
    }
    throw new VaultError(
      'conflict',
      'cannot sign a system-user: the brand has no certified key of purpose system_user',
    );
  }

  private async sign(
    brandId: string,
    order: SystemUserOrder,
    keyId: string,
    authority: string,
    now: Date,
  ): Promise<Assertion> {
    const { serials = [], sshKeys = [], passwordHash } = order;
    const headers = {
      ...(serials.length > 0 && { format: '1', serials }),
      'authority-id': authority,
      'brand-id': brandId,
      email: order.email,
      name: order.name,
      username: order.username,
      series: ['16'],
      models: order.models,
      ...(passwordHash !== undefined && { password: passwordHash }),
      ...(sshKeys.length > 0 && { 'ssh-keys': sshKeys }),
      since: stamp(now),
      until: stamp(order.until),
    };
    const signer = await this.resources.keys.signer(keyId, 'system-user');
    try {
      return await signAssertion({ type: 'system-user', headers }, signer, now);
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      throw new VaultError('invalid', `cannot sign the system-user: ${error.message}`);
    }
  }
}

const stamp = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z');

function requireOrder(order: SystemUserOrder, now: Date): void {
  const { until, models, passwordHash, sshKeys = [] } = order;
  const problems = [
    until <= now && { path: 'input.until', message: 'is over already' },
    until.getTime() - now.getTime() > MAX_DAYS * DAY_MS && {
      path: 'input.until',
      message: `at most ${MAX_DAYS} days from now`,
    },
    models.length === 0 && { path: 'input.models', message: 'names no model' },
    passwordHash === undefined &&
      sshKeys.length === 0 && { path: 'input', message: 'needs a passwordHash or sshKeys' },
  ].filter((problem) => problem !== false);
  if (problems.length > 0) throw new VaultError('invalid', 'cannot sign the system-user', problems);
}

/** A device takes it only from an authority that its model allows, which is the brand where the model says nothing. */
async function requireModels(
  tx: Tx,
  brandId: string,
  models: readonly string[],
  authority: string,
): Promise<void> {
  for (const model of models) {
    const row = found(await tx.findOneBy(VaultModel, { brandId, model }), `model ${model}`);
    const allowed = systemUserAuthorityOf(assertionOf(row));
    if (allowed === null || allowed.includes(authority)) continue;
    throw new VaultError(
      'invalid',
      `cannot sign the system-user: model ${model} does not allow account ${authority}: add it to "system-user-authority"`,
    );
  }
}
