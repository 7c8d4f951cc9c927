import { decodeAssertion, header, type Assertion } from '#libs/assertions';
import { listAssertionsUnder, Snap } from '#libs/database';
import { In } from 'typeorm';
import { timestamp } from '../../installation/timestamp.js';
import type { Resources } from '../../resources.js';
import { isPublicSnap } from '../../stores/is-public-snap.js';
import { refusal } from '../wire-code.js';

/** Which sequence points: each, or the latest of each set, or one number. */
export type SequenceWish = 'all' | 'latest' | number;

export interface SetDraft {
  readonly accountId: string;
  readonly name: string;
  readonly sequence: number;
  readonly snaps: readonly (Readonly<Record<string, unknown>> & { readonly name: string })[];
}

const SERIES = '16';

/** Validation sets as their publisher sees and drafts them (publisher-api.md 3.14). */
export class ValidationSetService {
  constructor(private readonly resources: Resources) {}

  /** By name, then sequence; empty where there is none. */
  async list(accountId: string, name: string | null, wish: SequenceWish): Promise<Assertion[]> {
    const points = (await this.points(accountId)).filter(
      (one) => name === null || header(one, 'name') === name,
    );
    if (wish === 'all') return points;
    if (wish !== 'latest') return points.filter((one) => sequenceOf(one) === wish);
    return points.filter(
      (one, index) => header(one, 'name') !== points[index + 1]?.headers['name'],
    );
  }

  /** The headers that the client signs: ids and revision are filled in. Throws `invalid` for a snap that is not there. */
  async draft(draft: SetDraft): Promise<Readonly<Record<string, unknown>>> {
    const { accountId, name, sequence, snaps } = draft;
    const same = await this.list(accountId, name, sequence);
    const ids = await this.idsOf(accountId, draft);
    return {
      type: 'validation-set',
      'authority-id': accountId,
      series: SERIES,
      'account-id': accountId,
      name,
      sequence,
      revision: String(same.reduce((next, one) => Math.max(next, one.revision + 1), 0)),
      snaps: snaps.map((snap) => ({ ...snap, id: snap['id'] ?? ids.get(snap.name) })),
      timestamp: timestamp(this.resources.db.clock.now()),
    };
  }

  private async points(accountId: string): Promise<Assertion[]> {
    const rows = await this.resources.db.asBrand(accountId, (tx) =>
      listAssertionsUnder(tx, 'validation-set', [SERIES, accountId]),
    );
    const named = (one: Assertion): string => header(one, 'name');
    return rows
      .map(({ bytes }) => decodeAssertion(bytes))
      .sort((a, b) =>
        named(a) === named(b) ? sequenceOf(a) - sequenceOf(b) : named(a) < named(b) ? -1 : 1,
      );
  }

  private async idsOf(
    accountId: string,
    { snaps }: SetDraft,
  ): Promise<ReadonlyMap<string, string>> {
    const names = snaps.filter((snap) => snap['id'] === undefined).map(({ name }) => name);
    const rows = await this.resources.db.asSystem((tx) => tx.findBy(Snap, { name: In(names) }));
    // What is not public is not there for others (decisions 13).
    const known = new Map(
      rows
        .filter((snap) => snap.brandId === accountId || isPublicSnap(snap))
        .map(({ name, id }) => [name, id]),
    );
    const missing = names.filter((name) => !known.has(name));
    if (missing.length > 0)
      throw refusal('invalid', 'invalid-request', `cannot find snap ${missing.join(', ')}`);
    return known;
  }
}

const sequenceOf = (set: Assertion): number => Number(header(set, 'sequence'));
