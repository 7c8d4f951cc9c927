import { findAssertion, listSequences, type Database } from '#libs/database';
import { resolveSequence } from '#libs/update-control';
import type { AssertionQuery } from '../devices/assertion.service.js';
import { toContext, toInstalled } from './poll.js';
import type { StoreView } from './store-view.js';

/** One decision about a set, for people's questions. */
export const decideSequence: typeof resolveSequence = (device, request, policy, t) =>
  resolveSequence(device, request, policy, t);

/**
 * Which sequence of a validation set a caller is given that asks for the newest (update-control.md 2.9, U30). A sequence that
 * a rollout leads to is there for nobody else until the rollout has completed; who wants to keep one back from the start drafts
 * its rollout first and brings the assertion then.
 */
export class SequenceService {
  constructor(private readonly db: Database) {}

  /** The query with the sequence decided; unchanged where it asks for something else, or for one sequence by its number. */
  async settle(query: AssertionQuery, view: StoreView): Promise<AssertionQuery> {
    const { type, key, sequence } = query;
    const isOpen = sequence === 'latest' || (sequence !== undefined && 'from' in sequence);
    const [series, accountId, setName] = key;
    if (type !== 'validation-set' || !isOpen || key.length !== 3 || series === undefined)
      return query;
    const set = { accountId: accountId ?? '', setName: setName ?? '' };
    const reported = sequence === 'latest' ? null : sequence.from;
    const { home } = view;
    const baseline = await this.baseline(key.join('/'), set.accountId, home?.facts.brandId);
    if (!home) return { ...query, sequence: { at: Math.max(baseline, reported ?? 0) } };
    const context = toContext(toInstalled(view.device?.reported?.snaps ?? {}));
    const request = { ...set, reported, baseline, context };
    const t = this.db.clock.now().getTime();
    const decided = resolveSequence(home.facts, request, home.policy.snapshot, t);
    const isThere = await this.db.asSystem((tx) =>
      findAssertion(tx, type, [...key, decided.sequence].join('/'), query.maxFormat),
    );
    // A rollout may lead to a sequence that nobody has brought yet.
    const at = isThere ? decided.sequence : Math.max(baseline, reported ?? 0);
    return { ...query, sequence: { at } };
  }

  /** The newest sequence that no rollout of the set's account or of the caller's brand leads to; 0 where there is none. */
  private async baseline(
    sequenceKey: string,
    accountId: string,
    brandId: string | undefined,
  ): Promise<number> {
    const sequences = await this.db.asSystem((tx) =>
      listSequences(tx, 'validation-set', sequenceKey, [accountId, brandId ?? accountId]),
    );
    return sequences.find(({ isRolledOut }) => !isRolledOut)?.sequence ?? 0;
  }
}
