import { WebhookDelivery, addToOutbox, claimDelivery, type ClaimedDelivery } from '#libs/database';
import type { Resources } from '../resources.js';
import { AddressGuard } from './address-guard.js';
import { postWebhook, type Answer } from './post-webhook.js';
import { nextAttemptAt } from './retry-plan.js';
import { liveSecrets, signWebhook } from './signature.js';

/** Longer than an attempt may take: until then nobody else tries. */
const HOLD_MS = 30_000;

/**
 * Sends events to webhooks, at least once (update-control.md 2.6, 2.11). A delivery is claimed before it is sent and settled
 * after it, so that of two processes one sends; who dies in between leaves it to the next, under the same id.
 */
export class DeliveryService {
  private readonly guard: AddressGuard;

  constructor(private readonly resources: Pick<Resources, 'db' | 'settings'>) {
    this.guard = new AddressGuard(resources.settings.webhookNetworks);
  }

  /** The job: one attempt, if it is due. */
  async deliver(brandId: string, deliveryId: string): Promise<void> {
    const { db, settings } = this.resources;
    const claimed = await db.asBrand(brandId, (tx) => claimDelivery(tx, deliveryId, HOLD_MS));
    if (claimed === null) return;
    const body = bodyOf(claimed);
    const now = db.clock.now();
    const timestamp = Math.floor(now.getTime() / 1000);
    const webhook = { ...claimed, id: claimed.webhookId };
    const secrets = liveSecrets(settings.secret, webhook, now);
    const answer = await postWebhook(
      claimed.url,
      body,
      {
        'webhook-id': claimed.id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signWebhook(secrets, claimed.id, timestamp, body),
      },
      this.guard,
    );
    await this.settle(claimed, answer);
  }

  private settle(claimed: ClaimedDelivery, { status, error }: Answer): Promise<void> {
    const { id, brandId, attempts } = claimed;
    return this.resources.db.asBrand(brandId, async (tx) => {
      const now = this.resources.db.clock.now();
      const next = error === null ? null : nextAttemptAt(attempts + 1, claimed.since, now);
      const outcome =
        error === null
          ? ({ state: 'delivered', deliveredAt: now } as const)
          : ({ state: next === null ? 'dead' : 'pending' } as const);
      // Settled by who took it over meanwhile: then this attempt says nothing any more.
      const { affected } = await tx.update(
        WebhookDelivery,
        { id, state: 'pending', attempts },
        {
          ...outcome,
          attempts: attempts + 1,
          lastStatus: status,
          lastError: error,
          ...(next !== null && { nextAttemptAt: next }),
        },
      );
      if (affected === 1 && next !== null)
        await addToOutbox(tx, 'notify-deliver', { brandId, deliveryId: id }, next);
    });
  }
}

/** What receivers read: docs/webhooks.md. */
function bodyOf(claimed: ClaimedDelivery): string {
  const { id, brandId, kind, subject, seq, rolloutId, rolloutSeq, detail, at } = claimed;
  return JSON.stringify({
    ...{ id, kind, at: at.toISOString(), brand: brandId, seq, subject },
    ...(rolloutId !== null && { rollout: rolloutId, rolloutSeq }),
    detail,
  });
}
