import {
  decodeAssertion,
  encodeAssertions,
  header,
  signAssertion,
  type Assertion,
} from '#libs/assertions';
import type { Model } from '#libs/database';
import type { Principal } from '../brands/principal.js';
import { refusing } from '../brands/refused-assertion.js';
import { readAssertion } from '../installation/assertion-shelf.js';
import { timestamp } from '../installation/timestamp.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { findNewest, findNewestOfAll } from './find-model.js';
import { ModelService, type ModelView } from './model.service.js';

/** A model that anybody may build images of. */
export interface StandardModel {
  readonly brandId: string;
  readonly model: string;
  readonly revision: number;
  readonly architecture: string | null;
  readonly base: string | null;
  readonly displayName: string | null;
}

/** Set by us: whose the model is, and what orders its revisions. */
const OURS = ['type', 'authority-id', 'brand-id', 'revision', 'sign-key-sha3-384'];

/** Models of the operator's own account, signed by the store key: devices of them belong to no brand (S14). */
export class StandardModelService {
  private readonly models: ModelService;

  constructor(private readonly resources: Resources) {
    this.models = new ModelService(resources);
  }

  /**
   * Signs the next revision of a standard model with these headers (assertions.md, `model`); without `timestamp`: now.
   * Throws `invalid` with the rule that they break, or for a store: standard models see what is public.
   */
  async sign(who: Principal, headers: Readonly<Record<string, unknown>>): Promise<ModelView> {
    const { db, keys } = this.resources;
    const { operatorAccountId } = keys;
    const foreign = OURS.find((name) => Object.hasOwn(headers, name));
    if (foreign !== undefined || Object.hasOwn(headers, 'store'))
      throw new OperationError(
        'invalid',
        `cannot sign a standard model with "${foreign ?? 'store'}": leave it out`,
        { paths: [`headers.${foreign ?? 'store'}`] },
      );
    const newest = await db.asBrand(operatorAccountId, (tx) =>
      findNewest(tx, operatorAccountId, String(headers['model'])),
    );
    const now = db.clock.now();
    const draft = {
      'authority-id': operatorAccountId,
      revision: String(newest === null ? 0 : newest.revision + 1),
      'brand-id': operatorAccountId,
      series: '16',
      timestamp: timestamp(now),
      ...headers,
    };
    const signed = await refusing(async () =>
      signAssertion({ type: 'model', headers: draft }, await keys.signer(), now),
    );
    return this.models.register(who, operatorAccountId, signed.bytes.toString('utf8'));
  }

  /** As `ModelService.setActive`: a deactivated one is neither listed nor given. */
  setActive(who: Principal, model: string, isActive: boolean, reason: string): Promise<ModelView> {
    return this.models.setActive(
      who,
      this.resources.keys.operatorAccountId,
      model,
      isActive,
      reason,
    );
  }

  async list(): Promise<StandardModel[]> {
    const { db, keys } = this.resources;
    const rows = await db.asBrand(keys.operatorAccountId, (tx) =>
      findNewestOfAll(tx, keys.operatorAccountId),
    );
    return rows.filter(({ isActive }) => isActive).map(toStandardModel);
  }

  /** The model and what it stands on below the root, as a stream; null where there is none. */
  async download(model: string): Promise<Buffer | null> {
    const { db, keys } = this.resources;
    return db.asBrand(keys.operatorAccountId, async (tx) => {
      const row = await findNewest(tx, keys.operatorAccountId, model);
      if (row === null || !row.isActive) return null;
      // The operator's account is the root's, which every device and image builder has.
      const key = await readAssertion(tx, 'account-key', [row.signKeyId]);
      const assertion = decodeAssertion(row.bytes);
      return encodeAssertions(key === null ? [assertion] : [key, assertion]);
    });
  }
}

function toStandardModel({ brandId, model, revision, architecture, bytes }: Model): StandardModel {
  const assertion: Assertion = decodeAssertion(bytes);
  const base = header(assertion, 'base') || null;
  const displayName = header(assertion, 'display-name') || null;
  return { brandId, model, revision, architecture, base, displayName };
}
