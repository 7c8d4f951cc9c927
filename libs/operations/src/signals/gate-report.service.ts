import { createHmac } from 'node:crypto';
import { isSameSecret } from '#libs/auth';
import { GateReport, Rollout, Wave, addToOutbox, recordAudit, type Tx } from '#libs/database';
import { actorOf, type Principal } from '../brands/principal.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requireUuid } from '../rollouts/find.js';
import { planOfRow } from '../rollouts/rollout-act.js';

/** What a brand's own telemetry says of a wave (update-control.md 2.7, external gate). */
export interface GateReportOrder {
  /** A uuid of the sender's: the same message twice is one report. */
  readonly id: string;
  /** Unix time in whole seconds. */
  readonly timestamp: number;
  readonly rolloutId: string;
  readonly wave: number;
  /** Of the wave: after a failure and a resume it is the next one. */
  readonly attempt: number;
  /** As the plan names it. */
  readonly gate: string;
  readonly verdict: 'PASS' | 'FAIL';
  /** `v1,<base64>`: HMAC-SHA256 by the gate's secret over `gateMessage`. */
  readonly signature: string;
  /** The numbers behind it, for people. */
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
}

/** What became of a report; one that is ignored is in the audit log with the reason. */
export interface GateReportOutcome {
  readonly isAccepted: boolean;
  readonly reason: string;
}

/** Clocks of senders are so far off at most, and a message is good for so long. */
const TOLERANCE_MS = 5 * 60_000;

/** Takes what external gates are told, once and only in time (U81). */
export class GateReportService {
  constructor(private readonly resources: Pick<Resources, 'db' | 'settings'>) {}

  /** The same for people of the brand; null where it has no such rollout. */
  async secretFor(brandId: string, rolloutId: string, gate: string): Promise<string | null> {
    const id = requireUuid(rolloutId, 'rollout');
    const isOwn = await this.resources.db.asBrand(brandId, (tx) =>
      tx.existsBy(Rollout, { id, brandId }),
    );
    return isOwn ? this.secretOf(id, gate) : null;
  }

  /** The secret of one gate of one rollout: derived, so that no table holds it. */
  private secretOf(rolloutId: string, gate: string): string {
    const { secret } = this.resources.settings;
    const key = createHmac('sha256', secret).update(`gate ${rolloutId} ${gate}`).digest('base64');
    return `whsec_${key}`;
  }

  /** Throws `not-found` for a rollout of another brand. */
  report(who: Principal, brandId: string, order: GateReportOrder): Promise<GateReportOutcome> {
    const rolloutId = requireUuid(order.rolloutId, 'rollout');
    return this.resources.db.asBrand(brandId, async (tx) => {
      const rollout = await tx.findOneBy(Rollout, { id: rolloutId, brandId });
      if (rollout === null)
        throw new OperationError('not-found', `cannot find rollout ${rolloutId}`);
      const problem = await this.problem(tx, rollout, order);
      const isAccepted = problem === null && (await insertReport(tx, who, rollout, order));
      const reason = problem ?? (isAccepted ? 'taken' : 'it is known already');
      const { wave, attempt, gate, verdict, id } = order;
      await recordAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: isAccepted ? 'gate-reported' : 'gate-report-ignored',
        subject: `rollout:${rolloutId}`,
        reason,
        detail: { id, wave, attempt, gate, verdict },
      });
      const { rev } = rollout;
      if (isAccepted) await addToOutbox(tx, 'rollout-tick', { rolloutId, brandId, rev });
      return { isAccepted, reason };
    });
  }

  /** Why a report counts for nothing; null: it counts. */
  private async problem(tx: Tx, rollout: Rollout, order: GateReportOrder): Promise<string | null> {
    const now = this.resources.db.clock.now().getTime();
    const secret = this.secretOf(rollout.id, order.gate);
    if (!isSignedBy(secret, order)) return 'its signature is not that of the gate';
    if (Math.abs(now - order.timestamp * 1_000) > TOLERANCE_MS)
      return 'its timestamp is more than five minutes off';
    const planned = planOfRow(rollout).waves[order.wave - 1];
    const gate = planned?.gates.find((one) => one.kind === 'external' && one.name === order.gate);
    if (gate?.kind !== 'external') return 'the wave has no such gate';
    const wave = await tx.findOneBy(Wave, { rolloutId: rollout.id, no: order.wave });
    if (wave?.state !== 'OPEN' || wave.attempt !== order.attempt)
      return 'this attempt of the wave is not open';
    const since = (wave.attemptAt ?? wave.openedAt)?.getTime() ?? now;
    return now >= since + gate.timeoutMs ? 'it comes after the timeout of the gate' : null;
  }
}

/** What a gate signs: identity, time and content of the message, joined by dots. */
export const gateMessage = (order: Omit<GateReportOrder, 'signature' | 'detail'>): string =>
  [
    ...[order.id, order.timestamp, order.rolloutId, order.wave, order.attempt],
    ...[order.gate, order.verdict],
  ].join('.');

/** The signature of a report, as the sender makes it. */
export function signGateReport(
  secret: string,
  order: Omit<GateReportOrder, 'signature' | 'detail'>,
): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(gateMessage(order)).digest('base64')}`;
}

const isSignedBy = (secret: string, order: GateReportOrder): boolean =>
  isSameSecret(Buffer.from(signGateReport(secret, order)), Buffer.from(order.signature));

/** False for a message that is there already. */
async function insertReport(
  tx: Tx,
  who: Principal,
  { id: rolloutId, brandId }: Rollout,
  { id, wave, attempt, gate, verdict, detail = {} }: GateReportOrder,
): Promise<boolean> {
  if (await tx.existsBy(GateReport, { id })) return false;
  await tx.insert(GateReport, {
    ...{ id, brandId, rolloutId, attempt, gate, verdict, detail: detail as object },
    waveNo: wave,
    reporter: actorOf(who),
  });
  return true;
}
