import { decodeAssertion, header, type Assertion } from '#libs/assertions';
import type { Model, Tx } from '#libs/database';
import { assertionDatabaseFor } from '../installation/assertion-shelf.js';
import { refusedAssertion, refusingSync } from '../brands/refused-assertion.js';
import type { Resources } from '../resources.js';
import { findNewest, findRevision } from './find-model.js';

/**
 * `untrusted`: its key is not registered, has ended, or did not sign this. `outdated`: there is a newer revision; devices
 * with this one go on.
 */
export type ModelState = 'registered' | 'outdated' | 'deactivated' | 'unregistered' | 'untrusted';

/** What the registry says of a model assertion; `cause` is for people, null for the revision that is in force. */
export interface ModelStanding {
  readonly state: ModelState;
  readonly cause: string | null;
  /** The newest revision of this model; null when none is registered. */
  readonly newestRevision: number | null;
}

/** The registry's word on a model, for an image check, and for people who ask why a device gets nothing (S12, S13). */
export class ModelRegistry {
  constructor(private readonly resources: Pick<Resources, 'db'>) {}

  /** Throws `invalid` for what is no model assertion of the brand. */
  check(brandId: string, text: string): Promise<ModelStanding> {
    const model = readModel(text, brandId);
    const { db } = this.resources;
    return db.asBrand(brandId, async (tx) => {
      const name = header(model, 'model');
      const newest = await findNewest(tx, brandId, name);
      const newestRevision = newest?.revision ?? null;
      const verdict = (await assertionDatabaseFor(tx, [model])).check(model, db.clock.now());
      if (!verdict.valid) return { state: 'untrusted', cause: verdict.message, newestRevision };
      const same = await findRevision(tx, brandId, name, model.revision);
      return { ...standingOf(model, newest, same), newestRevision };
    });
  }
}

function standingOf(
  model: Assertion,
  newest: Model | null,
  same: Model | null,
): Pick<ModelStanding, 'state' | 'cause'> {
  const name = header(model, 'model');
  const off = newest && whyDeactivated(newest);
  if (off) return { state: 'deactivated', cause: off };
  if (!same?.bytes.equals(model.bytes))
    return {
      state: 'unregistered',
      cause: same
        ? `model ${name} is registered with other content in revision ${model.revision}`
        : `revision ${model.revision} of model ${name} is not registered`,
    };
  if (newest && newest.revision > model.revision)
    return { state: 'outdated', cause: `model ${name} has revision ${newest.revision} by now` };
  return { state: 'registered', cause: null };
}

/** Null while the model is active. */
export function whyDeactivated({ model, isActive, inactiveReason }: Model): string | null {
  return isActive ? null : `the brand deactivated model ${model}: ${inactiveReason ?? 'no reason'}`;
}

/** Throws `invalid` for anything but a model assertion of the brand; signatures are not looked at. */
export function readModel(text: string, brandId: string): Assertion {
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

/** What stands in the way of a device of this model, whose signature was checked before; null: nothing. */
export async function findModelProblem(tx: Tx, model: Assertion): Promise<string | null> {
  const newest = await findNewest(tx, header(model, 'brand-id'), header(model, 'model'));
  return newest && whyDeactivated(newest);
}
