import {
  AssertionError,
  checkModel,
  decodeAssertion,
  header,
  type Assertion,
  type AssertionDatabase,
} from '#libs/assertions';
import {
  recordVaultAudit,
  VaultModel,
  VaultModelPolicyRow,
  VaultSigningKey,
  type Tx,
  type VaultModelPolicy,
} from '#libs/database';
import { findRegisteredModel } from '../registration/registered-model.js';
import { whyNotAuthority } from '../registration/checks/signing-key.js';
import type { VaultResources } from '../resources.js';
import { readPolicy } from './policy.schema.js';
import { actorOf, type VaultPrincipal } from './token.service.js';
import { found, VaultError } from './vault-error.js';

export interface ModelView {
  readonly brandId: string;
  readonly model: string;
  readonly revision: number;
  /** Here and in the store's registry. */
  readonly isActive: boolean;
  /** Why the store's registry has it deactivated. */
  readonly registryReason: string | null;
  readonly revokedRevisions: readonly number[];
  /** 0 and null for a model that came from the store and has no policy here yet: nobody registers for it. */
  readonly policyRevision: number;
  readonly policy: VaultModelPolicy | null;
}

/** Models that devices may register for, and how (serial-vault.md 6.3, 11.3). */
export class ModelService {
  constructor(private readonly resources: VaultResources) {}

  /** Takes a model by its assertion, or a newer revision of it, and puts the policy in force. */
  async register(
    who: VaultPrincipal,
    brandId: string,
    assertion: string,
    policy: unknown,
  ): Promise<ModelView> {
    const { db, trust } = this.resources;
    const model = readModel(brandId, assertion);
    const wanted = readPolicy(policy);
    const trusted = await trust.database();
    const verdict = checkModel({ model, database: trusted, now: db.clock.now() });
    if (!verdict.valid)
      throw new VaultError('invalid', `cannot trust the model assertion: ${verdict.message}`);
    const name = header(model, 'model');
    return db.asBrand(brandId, async (tx) => {
      await requireUsableKey(tx, trusted, brandId, wanted.signingKeyId, model);
      const row = { brandId, model: name, revision: model.revision, bytes: model.bytes };
      const held = await tx.findOneBy(VaultModel, { brandId, model: name });
      if (held === null) await tx.insert(VaultModel, row);
      else if (held.bytes === null || held.revision <= model.revision)
        await tx.update(VaultModel, { brandId, model: name }, row);
      await putPolicy(tx, who, brandId, name, wanted, 'register-model');
      return view(tx, brandId, name);
    });
  }

  /** A new revision of the policy; also how one goes back to a former one. */
  async setPolicy(
    who: VaultPrincipal,
    brandId: string,
    model: string,
    policy: unknown,
  ): Promise<ModelView> {
    const wanted = readPolicy(policy);
    const trusted = await this.resources.trust.database();
    return this.resources.db.asBrand(brandId, async (tx) => {
      const row = found(await tx.findOneBy(VaultModel, { brandId, model }), `model ${model}`);
      const assertion = assertionOf(row);
      await requireUsableKey(tx, trusted, brandId, wanted.signingKeyId, assertion);
      await putPolicy(tx, who, brandId, model, wanted, 'set-model-policy');
      return view(tx, brandId, model);
    });
  }

  /** The policy of a former revision, as a new one: what was signed meanwhile keeps the revision that it was signed under. */
  async rollbackPolicy(
    who: VaultPrincipal,
    brandId: string,
    model: string,
    revision: number,
  ): Promise<ModelView> {
    const former = await this.resources.db.asBrand(brandId, (tx) =>
      tx.findOneBy(VaultModelPolicyRow, { brandId, model, revision }),
    );
    const what = `policy ${revision} of model ${model}`;
    return this.setPolicy(who, brandId, model, found(former, what).policy);
  }

  async setActive(
    who: VaultPrincipal,
    brandId: string,
    model: string,
    isActive: boolean,
  ): Promise<ModelView> {
    return this.change(who, brandId, model, isActive ? 'activate-model' : 'deactivate-model', {
      isActive,
    });
  }

  /** Devices that show these revisions of the model assertion are refused. */
  async setRevokedRevisions(
    who: VaultPrincipal,
    brandId: string,
    model: string,
    revokedRevisions: readonly number[],
  ): Promise<ModelView> {
    return this.change(who, brandId, model, 'revoke-model-revisions', {
      revokedRevisions: [...revokedRevisions],
    });
  }

  list(brandId: string): Promise<ModelView[]> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const rows = await tx.find(VaultModel, { where: { brandId }, order: { model: 'ASC' } });
      const views: ModelView[] = [];
      for (const row of rows) views.push(await view(tx, brandId, row.model));
      return views;
    });
  }

  private change(
    who: VaultPrincipal,
    brandId: string,
    model: string,
    action: string,
    values: Partial<Pick<VaultModel, 'isActive' | 'revokedRevisions'>>,
  ): Promise<ModelView> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const { affected } = await tx.update(VaultModel, { brandId, model }, values);
      if (affected !== 1) found(null, `model ${model}`);
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action,
        subject: model,
        detail: { ...values },
      });
      return view(tx, brandId, model);
    });
  }
}

/** A key that devices would refuse is the classic trap (serial-vault.md 2.6): known here, and allowed by the model. */
async function requireUsableKey(
  tx: Tx,
  trusted: AssertionDatabase,
  brandId: string,
  keyId: string,
  model: Assertion,
): Promise<void> {
  const problem = (message: string): VaultError =>
    new VaultError('invalid', `cannot use the signing key: ${message}`, [
      { path: 'policy.signingKeyId', message },
    ]);
  if (!(await tx.existsBy(VaultSigningKey, { keyId, brandId, purpose: 'serial' })))
    throw problem('this vault has no such serial key of the brand');
  const accountKey = trusted.find('account-key', [keyId]);
  if (accountKey === undefined)
    throw problem('it is not certified yet: import its account-key first');
  const why = whyNotAuthority(accountKey, model);
  if (why !== null) throw problem(why);
}

/** Throws `conflict` for a model of a former vault that nobody has registered here yet. */
export function assertionOf({ bytes, model }: VaultModel): Assertion {
  if (bytes !== null) return decodeAssertion(bytes);
  throw new VaultError(
    'conflict',
    `cannot go on without the assertion of model ${model}: register it, or take it from the store`,
  );
}

function readModel(brandId: string, assertion: string): Assertion {
  let model: Assertion;
  try {
    model = decodeAssertion(Buffer.from(assertion));
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    throw new VaultError('invalid', `cannot read the model assertion: ${error.message}`);
  }
  if (model.type !== 'model')
    throw new VaultError('invalid', `cannot register a ${model.type} as model`);
  if (header(model, 'brand-id') !== brandId)
    throw new VaultError('invalid', 'cannot register the model of another brand');
  return model;
}

/** A new revision, audited as `action`. */
export async function putPolicy(
  tx: Tx,
  who: VaultPrincipal,
  brandId: string,
  model: string,
  policy: VaultModelPolicy,
  action: string,
): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('policy ' || $1))`, [
    `${brandId}/${model}`,
  ]);
  const former = await findRegisteredModel(tx, brandId, model);
  const revision = (former?.policyRevision ?? 0) + 1;
  await tx.insert(VaultModelPolicyRow, {
    brandId,
    model,
    revision,
    policy,
    createdBy: actorOf(who),
  });
  await recordVaultAudit(tx, {
    brandId,
    actor: actorOf(who),
    action,
    subject: model,
    detail: { revision, policy, before: former?.policy },
  });
}

async function view(tx: Tx, brandId: string, model: string): Promise<ModelView> {
  const row = found(await tx.findOneBy(VaultModel, { brandId, model }), `model ${model}`);
  const inForce = await findRegisteredModel(tx, brandId, model);
  const { revision, registryReason, revokedRevisions } = row;
  return {
    brandId,
    model,
    revision,
    isActive: row.isActive && registryReason === null,
    registryReason,
    revokedRevisions,
    policyRevision: inForce?.policyRevision ?? 0,
    policy: inForce?.policy ?? null,
  };
}
