import { decodeAssertion, header, type Assertion } from '#libs/assertions';
import { BrandStore, Model, type Tx } from '#libs/database';
import {
  assertionDatabaseFor,
  keepAssertion,
  readAssertion,
} from '../installation/assertion-shelf.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { performAct } from './act.js';
import { requireNotRetired } from './key-retirement.service.js';
import type { Principal } from './principal.js';
import { refusedAssertion, refusingSync } from './refused-assertion.js';

/** A registered model; `assertion` is its text, byte for byte. */
export type ModelView = Omit<Model, 'bytes'> & { readonly assertion: string };

const view = ({ bytes, ...model }: Model): ModelView => ({
  ...model,
  assertion: bytes.toString('utf8'),
});

/** The brand's models, signed by the brand (S11, S12). */
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
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('model ' || $1 || $2))`, [
        brandId,
        name,
      ]);
      const subject = `model:${name}:${assertion.revision}`;
      const known = await tx.findOneBy(Model, {
        brandId,
        model: name,
        revision: assertion.revision,
      });
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
          bytes: assertion.bytes,
        }),
      );
      return { result: view(row), subject };
    });
  }

  list(brandId: string): Promise<ModelView[]> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const rows = await tx.find(Model, {
        where: { brandId },
        order: { model: 'ASC', revision: 'ASC' },
      });
      return rows.map(view);
    });
  }
}

function readModel(text: string, brandId: string): Assertion {
  const assertion = refusingSync(() => decodeAssertion(Buffer.from(text, 'utf8')));
  if (assertion.type !== 'model')
    throw refusedAssertion('unexpected assertions in the request', `this is a ${assertion.type}`);
  if (header(assertion, 'brand-id') !== brandId)
    throw refusedAssertion(
      'authority-id does not match the brand or account named in the assertion',
      'the model is of another brand',
    );
  return assertion;
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
