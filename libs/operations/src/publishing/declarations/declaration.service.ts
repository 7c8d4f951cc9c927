import { isDeepStrictEqual } from 'node:util';
import { signAssertion, type Assertion, type HeaderMap } from '#libs/assertions';
import type { Snap, Tx } from '#libs/database';
import { performAct } from '../../brands/act.js';
import type { Principal } from '../../brands/principal.js';
import { refusedAssertion, refusing, refusingSync } from '../../brands/refused-assertion.js';
import {
  assertionDatabaseFor,
  keepAssertion,
  readAssertion,
} from '../../installation/assertion-shelf.js';
import { timestamp } from '../../installation/timestamp.js';
import { OperationError } from '../../operation-error.js';
import type { Resources } from '../../resources.js';
import { getSnap } from '../../rollouts/find.js';
import { readForeign } from '../../trust/foreign-shelf.js';
import { EDITABLE, nextHeaders, type DeclarationOrder } from './declaration-draft.js';
import { describeChanges } from './describe-changes.js';

export interface DeclarationEdit {
  /** Name or id. */
  readonly snap: string;
  readonly order: DeclarationOrder;
  readonly reason: string;
  /** Refused with the current state when the declaration is at another revision by now. */
  readonly expectedRevision?: number | undefined;
}

/** A snap-declaration as people read it; `changes` says in words what the edit behind it changes. */
export interface DeclarationView {
  readonly snap: Snap;
  readonly revision: number;
  readonly format: number;
  readonly headers: HeaderMap;
  /** Null for a preview: nothing is signed. */
  readonly assertion: string | null;
  readonly changes: readonly string[];
}

/** What a snap may do by itself on devices: its declaration, edited by the brand's reviewers (S7, assertions.md 9). */
export class DeclarationService {
  constructor(private readonly resources: Resources) {}

  /** Null while no revision of the snap was accepted. */
  find(brandId: string, snap: string): Promise<DeclarationView | null> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const row = await getSnap(tx, brandId, snap);
      const read = row.rootId === null ? readAssertion : readForeign;
      const current = await read(tx, 'snap-declaration', ['16', row.id]);
      return current && viewOf(row, current, []);
    });
  }

  /** What an edit would change, in words, without signing anything. Throws as `edit`. */
  preview(brandId: string, edit: Omit<DeclarationEdit, 'reason'>): Promise<DeclarationView> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const { snap, headers, changes } = await planned(tx, brandId, edit);
      const [revision, format] = [Number(headers['revision']), Number(headers['format'] ?? 0)];
      return { snap, revision, format, headers, assertion: null, changes };
    });
  }

  /**
   * Signs and keeps the next revision; devices get it at their next refresh. Throws `invalid` with the rule that is broken
   * or when nothing would change, `conflict` for another revision than expected or a snap without declaration.
   */
  edit(
    who: Principal,
    brandId: string,
    edit: DeclarationEdit,
    key?: string,
  ): Promise<DeclarationView> {
    if (edit.reason.trim() === '' || edit.reason.length > 500)
      throw new OperationError(
        'invalid',
        'cannot do this without a reason of up to 500 characters',
        {
          paths: ['reason'],
        },
      );
    const act = { who, brandId, action: 'edit-declaration', idempotencyKey: key, request: edit };
    return performAct(this.resources.db, act, async (tx) => {
      const { snap, current, headers, changes } = await planned(tx, brandId, edit);
      const assertion = await this.sign(tx, headers);
      await keepAssertion(tx, assertion, snap.id);
      return {
        result: viewOf(snap, assertion, changes),
        subject: `snap-declaration:${snap.name}`,
        reason: edit.reason,
        detail: {
          revision: assertion.revision,
          changes,
          ...beforeAndAfter(current.headers, assertion.headers),
        },
      };
    });
  }

  private async sign(tx: Tx, headers: HeaderMap): Promise<Assertion> {
    const { db, keys } = this.resources;
    const now = db.clock.now();
    const draft = { ...headers, 'authority-id': keys.operatorAccountId, timestamp: timestamp(now) };
    const assertion = await refusing(async () =>
      signAssertion({ type: 'snap-declaration', headers: draft }, await keys.signer(), now),
    );
    const verdict = (await assertionDatabaseFor(tx, [assertion])).check(assertion, now);
    if (!verdict.valid) throw refusedAssertion(verdict.errorClass, verdict.message);
    return assertion;
  }
}

interface PlannedEdit {
  readonly snap: Snap;
  readonly current: Assertion;
  readonly headers: HeaderMap;
  readonly changes: readonly string[];
}

async function planned(
  tx: Tx,
  brandId: string,
  { snap: name, order, expectedRevision }: Omit<DeclarationEdit, 'reason'>,
): Promise<PlannedEdit> {
  const snap = await getSnap(tx, brandId, name);
  if (snap.rootId !== null)
    throw new OperationError(
      'conflict',
      `cannot edit the declaration of ${snap.name}: the root of account ${snap.rootId} signs it`,
    );
  // Revisions follow one another: no two edits of one declaration at once.
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('declaration of ' || $1))`, [snap.id]);
  const current = await readAssertion(tx, 'snap-declaration', ['16', snap.id]);
  if (current === null)
    throw new OperationError(
      'conflict',
      `cannot edit the declaration of ${snap.name}: it is made with the first accepted revision`,
    );
  if (expectedRevision !== undefined && expectedRevision !== current.revision)
    throw new OperationError(
      'conflict',
      `cannot edit revision ${expectedRevision} of the declaration: it is at ${current.revision}`,
      { current: { revision: current.revision } },
    );
  const headers = refusingSync(() => nextHeaders(current, order));
  const changes = describeChanges(current.headers, headers);
  if (changes.length === 0)
    throw new OperationError('invalid', 'cannot make a revision that changes nothing', {
      paths: Object.keys(order).filter(
        (part) => order[part as keyof DeclarationOrder] !== undefined,
      ),
    });
  const format = Number(headers['format'] ?? 0);
  const newerOnly = `It needs format ${format}: devices whose snapd reads only lower formats keep revision ${current.revision}.`;
  return {
    snap,
    current,
    headers,
    changes: format > current.format ? [...changes, newerOnly] : changes,
  };
}

const viewOf = (snap: Snap, assertion: Assertion, changes: readonly string[]): DeclarationView => ({
  snap,
  revision: assertion.revision,
  format: assertion.format,
  headers: assertion.headers,
  assertion: assertion.bytes.toString('utf8'),
  changes,
});

/** For the audit log: of the parts that people edit, those that differ. */
function beforeAndAfter(old: HeaderMap, now: HeaderMap): { before: HeaderMap; after: HeaderMap } {
  const changed = Object.values(EDITABLE).filter(
    (name) => !isDeepStrictEqual(old[name], now[name]),
  );
  const pick = (headers: HeaderMap): HeaderMap =>
    Object.fromEntries(changed.map((name) => [name, headers[name] ?? '']));
  return { before: pick(old), after: pick(now) };
}
