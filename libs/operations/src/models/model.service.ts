import { header, type Assertion } from '#libs/assertions';
import { BrandStore, Model, type Tx } from '#libs/database';
import {
  assertionDatabaseFor,
  keepAssertion,
  readAssertion,
} from '../installation/assertion-shelf.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { performAct } from '../brands/act.js';
import { requireNotRetired } from '../brands/key-retirement.service.js';
import type { Principal } from '../brands/principal.js';
import { refusedAssertion } from '../brands/refused-assertion.js';
import { requireReason } from '../brands/require-reason.js';
import { findNewest, findRevision } from './find-model.js';
import { readModel } from './model-registry.js';

/** A revision of a registered model; `assertion` is its text, byte for byte. */
export type ModelView = Omit<Model, 'bytes'> & { readonly assertion: string };

const view = ({ bytes, ...model }: Model): ModelView => ({
  ...model,
  assertion: bytes.toString('utf8'),
});

/** Which revisions are meant; what is not named is no limit. */
export interface ModelFilter {
  readonly model?: string | undefined;
  readonly signKeyId?: string | undefined;
}

/** The brand's models, signed by the brand: the one registry of store, vault and image check (S12). */
export class ModelService {
  constructor(private readonly resources: Resources) {}

  /**
   * Takes a model assertion that a registered key of the brand signed. The same bytes again change nothing. Throws
   * `invalid` with the failing rule, `conflict` for a revision that is not newer.
   */
  register(
    who: Principal,
    brandId: string,
    text: string,
    idempotencyKey?: string,
  ): Promise<ModelView> {
    const assertion = readModel(text, brandId);
    const act = {
      who,
      brandId,
      action: 'register-model',
      idempotencyKey,
      request: { assertion: text },
    };
    const { db } = this.resources;
    return performAct(db, act, async (tx) => {
      const name = header(assertion, 'model');
      await lockModel(tx, brandId, name);
      const subject = `model:${name}:${assertion.revision}`;
      const known = await findRevision(tx, brandId, name, assertion.revision);
      if (known?.bytes.equals(assertion.bytes)) return { result: view(known), subject };
      await requireRegistrable(tx, assertion, db.clock.now());
      await requireNotRetired(tx, assertion);
      await keepAssertion(tx, assertion);
      const row = await tx.save(
        tx.create(Model, {
          brandId,
          model: name,
          revision: assertion.revision,
          storeId: header(assertion, 'store') || null,
          architecture: header(assertion, 'architecture') || null,
          signKeyId: assertion.signKeyId,
          // A new revision does not bring a deactivated model back.
          ...(await standingOf(tx, brandId, name)),
          bytes: assertion.bytes,
        }),
      );
      return { result: view(row), subject };
    });
  }

  /** All revisions, so also the history of a model, and which key signed what. */
  list(brandId: string, { model, signKeyId }: ModelFilter = {}): Promise<ModelView[]> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const rows = await tx.find(Model, {
        where: {
          brandId,
          ...(model !== undefined && { model }),
          ...(signKeyId !== undefined && { signKeyId }),
        },
        order: { model: 'ASC', revision: 'ASC' },
      });
      return rows.map(view);
    });
  }

  /**
   * Switches all revisions of a model off or on: no sessions and no serials while it is off. Gives the newest revision.
   * Throws `not-found`, and `conflict` when it is so already.
   */
  setActive(
    who: Principal,
    brandId: string,
    model: string,
    isActive: boolean,
    reason: string,
  ): Promise<ModelView> {
    requireReason(reason);
    const action = isActive ? 'reactivate-model' : 'deactivate-model';
    const act = { who, brandId, action, request: { model, reason } };
    return performAct(this.resources.db, act, async (tx) => {
      await lockModel(tx, brandId, model);
      const newest = await findNewest(tx, brandId, model);
      if (newest === null) throw new OperationError('not-found', `cannot find model ${model}`);
      if (newest.isActive === isActive)
        throw new OperationError(
          'conflict',
          `cannot ${action.replace('-', ' ')} ${model}: it is ${isActive ? 'active' : 'deactivated'} already`,
        );
      const standing = { isActive, inactiveReason: isActive ? null : reason };
      await tx.update(Model, { brandId, model }, standing);
      const result = view({ ...newest, ...standing });
      return { result, subject: `model:${model}:${newest.revision}`, reason };
    });
  }
}

/** Registration and deactivation of a model come one after the other. */
async function lockModel(tx: Tx, brandId: string, model: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('model ' || $1 || $2))`, [brandId, model]);
}

async function standingOf(
  tx: Tx,
  brandId: string,
  model: string,
): Promise<Partial<Pick<Model, 'isActive' | 'inactiveReason'>>> {
  const newest = await findNewest(tx, brandId, model);
  if (newest === null) return {};
  return { isActive: newest.isActive, inactiveReason: newest.inactiveReason };
}

/** Signed by a registered key of the brand, newer than what is there, and for one of the brand's own stores. */
async function requireRegistrable(tx: Tx, assertion: Assertion, now: Date): Promise<void> {
  const [name, brandId] = [header(assertion, 'model'), header(assertion, 'brand-id')];
  const verdict = (await assertionDatabaseFor(tx, [assertion])).check(assertion, now);
  if (!verdict.valid) throw refusedAssertion(verdict.errorClass, verdict.message);
  const newest = await readAssertion(tx, 'model', assertion.primaryKey);
  if (newest && newest.revision >= assertion.revision)
    throw new OperationError(
      'conflict',
      `cannot register model ${name}: revision ${newest.revision} is registered already`,
      { current: { revision: newest.revision } },
    );
  const storeId = header(assertion, 'store') || null;
  if (storeId !== null && !(await tx.existsBy(BrandStore, { id: storeId, brandId })))
    throw new OperationError(
      'invalid',
      `cannot register model ${name}: store ${storeId} is not this brand's`,
      {
        paths: ['assertion'],
      },
    );
}
