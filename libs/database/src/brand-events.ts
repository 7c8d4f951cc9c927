import { randomUUID } from 'node:crypto';
import { lockJournals } from './audit.js';
import type { Tx } from './database.js';
import { BrandEvent } from './store/entities/index.js';
import { addDeliveries } from './store/repositories/webhook.repository.js';

/** What a brand's people are told of (update-control.md 2.11, events). */
export const EVENT_KINDS = [
  'rollout-state',
  'wave-opened',
  'wave-passed',
  'wave-failed',
  'wave-inconclusive',
  'auto-paused',
  'rollout-expired',
  'impact-grew',
  'break-glass',
  'approval-requested',
  'approval-decided',
  'approval-expired',
  'change-proposed',
  'change-decided',
  'stop-engaged',
  'stop-lifted',
  'hold-expiring',
  'device-reverted',
  'clone-suspect',
  'quota-near',
  'audit-broken',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface EventEntry {
  readonly brandId: string;
  readonly kind: EventKind;
  /** `rollout:<id>`, `stop:<id>` and so on, as in the audit log. */
  readonly subject: string;
  readonly rolloutId?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/**
 * Writes an event in the transaction that makes it true, and what brings it to the brand's webhooks; its number follows the
 * brand's last one without a gap.
 */
export async function recordEvent(tx: Tx, entry: EventEntry): Promise<void> {
  await lockJournals(tx, entry.brandId);
  const last = await tx.maximum(BrandEvent, 'seq', { brandId: entry.brandId });
  const id = randomUUID();
  await tx.insert(BrandEvent, {
    id,
    brandId: entry.brandId,
    seq: Number(last ?? 0) + 1,
    kind: entry.kind,
    subject: entry.subject,
    rolloutId: entry.rolloutId ?? null,
    detail: (entry.detail ?? {}) as object,
  });
  await addDeliveries(tx, { ...entry, id });
}
