import { createHash } from 'node:crypto';
import {
  forgetDecisions,
  insertDecisions,
  type Database,
  type DecisionEntry,
} from '#libs/database';
import {
  answerKey,
  contentHash,
  decisionText,
  type Decision,
  type DeviceFacts,
  type Instant,
  type PolicySnapshot,
  type RequestFacts,
} from '#libs/update-control';
import { LRUCache } from 'lru-cache';

/** Everything a decision rests on: with the same, it comes out the same. */
export interface DecisionBasis {
  readonly device: DeviceFacts;
  readonly request: RequestFacts;
  readonly policy: PolicySnapshot;
  readonly t: Instant;
}

const FLUSH_EVERY_MS = 1_000;
const BATCH = 1_000;
/** While Postgres is away, no more than so many answers wait; those after them are recorded at the next change. */
const MAX_WAITING = 50_000;
const KNOWN_DEVICES = 100_000;
/** How long a brand can ask "why was that", and policies are kept that somebody was answered by. */
const KEPT_DAYS = 400;
/** What a node could not help: it says nothing of the policy, and comes and goes with the load. */
const PASSING: ReadonlySet<string> = new Set(['SHED', 'POLICY_STALE']);

/**
 * What devices were answered, recorded where it is another answer than before (update-control.md 2.2): a poll that is told the
 * same again costs a hash. Written in batches, off the request (decisions 20).
 */
export class DecisionLog {
  private waiting: DecisionEntry[] = [];
  private beingWritten = 0;
  private readonly last = new LRUCache<string, string>({ max: KNOWN_DEVICES });
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  constructor(private readonly db: Database) {}

  start(everyMs = FLUSH_EVERY_MS): void {
    this.timer = setInterval(() => void this.flush().catch(() => undefined), everyMs);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.flush().catch(() => undefined);
  }

  /** Answers that are not written yet. */
  get backlog(): number {
    return this.waiting.length + this.beingWritten;
  }

  /** Takes the decisions of one poll of a device; does no I/O. */
  note(
    decided: readonly {
      readonly decision: Decision | null;
      readonly basis: DecisionBasis | null;
    }[],
  ): void {
    const lasting = decided.flatMap(({ decision, basis }) =>
      decision && basis && isLasting(decision, basis) ? [{ decision, basis }] : [],
    );
    const uid = lasting[0]?.basis.device.uid;
    if (uid === undefined || uid === null || this.waiting.length >= MAX_WAITING) return;
    const answers = lasting.map(
      ({ decision, basis }) => `${instanceOf(basis.request)} ${answerKey(basis.request, decision)}`,
    );
    const said = createHash('sha256').update(answers.join('\n')).digest('base64');
    if (this.last.get(uid) === said) return;
    this.last.set(uid, said);
    for (const { decision, basis } of lasting) this.waiting.push(toEntry(uid, decision, basis));
  }

  /** Writes all that waits, in the order in which it was answered. */
  flush(): Promise<void> {
    this.flushing = this.flushing.catch(() => undefined).then(() => this.write());
    return this.flushing;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const { now, later } = nextBatch(this.waiting);
      this.waiting = [];
      this.beingWritten = now.length + later.length;
      try {
        await this.db.asSystem(async (tx) => {
          const written = await insertDecisions(tx, now);
          // Whoever adds also takes away: no job of its own for a few old rows.
          if (written > 0) await forgetDecisions(tx, KEPT_DAYS);
        });
      } catch (error) {
        this.waiting = [...now, ...later, ...this.waiting];
        throw error;
      } finally {
        this.beingWritten = 0;
      }
      this.waiting = [...later, ...this.waiting];
    }
  }
}

/** The first entry of each instance; a second one waits until it can be compared with the first. */
function nextBatch(waiting: readonly DecisionEntry[]): {
  now: DecisionEntry[];
  later: DecisionEntry[];
} {
  const taken = new Set<string>();
  const now: DecisionEntry[] = [];
  const later: DecisionEntry[] = [];
  for (const entry of waiting) {
    const key = `${entry.deviceUid} ${entry.instanceKey}`;
    const isFirst = !taken.has(key) && now.length < BATCH;
    taken.add(key);
    (isFirst ? now : later).push(entry);
  }
  return { now, later };
}

const isLasting = ({ reasons }: Decision, { request, device }: DecisionBasis): boolean =>
  device.uid !== null && request.action !== 'download' && !PASSING.has(reasons[0]?.code ?? '');

/** The keys of installs are the client's numbering: of no meaning for the next time. */
const instanceOf = ({ action, instanceKey, snapId }: RequestFacts): string =>
  action === 'refresh' ? (instanceKey ?? snapId) : `${action} ${snapId}`;

function toEntry(
  deviceUid: string,
  decision: Decision,
  { device, request: { context, ...request }, policy, t }: DecisionBasis,
): DecisionEntry {
  const facts = { device, context };
  return {
    deviceUid,
    instanceKey: instanceOf({ ...request, context }),
    brandId: policy.brandId,
    snapId: request.snapId,
    at: new Date(t).toISOString(),
    answer: answerKey({ ...request, context }, decision),
    decision: decisionText(decision),
    request,
    factsHash: contentHash(facts),
    facts,
    policyVersion: policy.version,
    policyHash: policy.hash,
    overlayVersion: policy.overlay.version,
    resolverVersion: policy.resolverVersion,
    tzdb: process.versions['tz'] ?? '',
  };
}
