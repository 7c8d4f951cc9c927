import { randomUUID } from 'node:crypto';
import {
  EVENT_KINDS,
  Webhook,
  WebhookDelivery,
  addToOutbox,
  type DeliveryState,
  type Tx,
} from '#libs/database';
import { performAct, type Act, type Done } from '../brands/act.js';
import type { Principal } from '../brands/principal.js';
import type { Page } from '../brands/reader.js';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requireUuid } from '../rollouts/find.js';
import { webhookSecret } from './signature.js';

/** How long the secret before a rotation is good besides the new one. */
const OVERLAP_MS = 24 * 3_600_000;
/** More than any brand needs; each event is sent as often. */
const MOST_PER_BRAND = 20;

export interface WebhookOrder {
  readonly url: string;
  /** None: every kind. */
  readonly kinds?: readonly string[] | undefined;
}

/** A webhook with its secret, which is shown this once. */
export interface WebhookWithSecret extends Webhook {
  readonly secret: string;
}

/** What admins do with webhooks (update-control.md 2.11). */
export class WebhookService {
  constructor(private readonly resources: Resources) {}

  list(brandId: string): Promise<Webhook[]> {
    return this.resources.db.asBrand(brandId, (tx) =>
      tx.find(Webhook, { where: { brandId }, order: { createdAt: 'ASC' } }),
    );
  }

  /** Newest first, from before the delivery `before` on. */
  listDeliveries(
    brandId: string,
    filter: { readonly webhookId?: string | undefined; readonly state?: DeliveryState | undefined },
    before: string | null,
    limit: number,
  ): Promise<Page<WebhookDelivery>> {
    return this.resources.db.asBrand(brandId, async (tx) => {
      const query = tx
        .createQueryBuilder(WebhookDelivery, 'd')
        .where('d.brand_id = :brandId', { brandId })
        .orderBy('d.created_at', 'DESC')
        .addOrderBy('d.id', 'DESC')
        .limit(limit + 1);
      if (filter.webhookId !== undefined)
        query.andWhere('d.webhook_id = :webhook', {
          webhook: requireUuid(filter.webhookId, 'webhook'),
        });
      if (filter.state !== undefined) query.andWhere('d.state = :state', { state: filter.state });
      if (before !== null)
        query.andWhere(
          '(d.created_at, d.id) < (SELECT created_at, id FROM store.webhook_deliveries WHERE id = :before)',
          { before },
        );
      const rows = await query.getMany();
      return { rows: rows.slice(0, limit), hasMore: rows.length > limit };
    });
  }

  /** The target's addresses are checked when something is sent, at every resolution of its name. */
  create(who: Principal, brandId: string, order: WebhookOrder): Promise<WebhookWithSecret> {
    const url = requireTarget(order.url);
    const kinds = requireKinds(order.kinds ?? []);
    return this.act(who, brandId, 'create-webhook', order, async (tx) => {
      if ((await tx.countBy(Webhook, { brandId })) >= MOST_PER_BRAND)
        throw new OperationError('conflict', `cannot have more than ${MOST_PER_BRAND} webhooks`);
      const row = await tx.save(tx.create(Webhook, { id: randomUUID(), brandId, url, kinds }));
      return { result: this.shown(row), subject: `webhook:${row.id}`, detail: { url, kinds } };
    });
  }

  /** A new secret; the one before is good for a day more, so that receivers can change in between. */
  rotateSecret(who: Principal, brandId: string, id: string): Promise<WebhookWithSecret> {
    return this.act(who, brandId, 'rotate-webhook-secret', { id }, async (tx) => {
      const row = await getWebhook(tx, brandId, id);
      row.secretNo += 1;
      row.previousUntil = new Date(this.resources.db.clock.now().getTime() + OVERLAP_MS);
      await tx.save(row);
      const detail = { secretNo: row.secretNo };
      return { result: this.shown(row), subject: `webhook:${id}`, detail };
    });
  }

  /** With everything that was still to be sent. */
  remove(who: Principal, brandId: string, id: string): Promise<Webhook> {
    return this.act(who, brandId, 'delete-webhook', { id }, async (tx) => {
      const row = await getWebhook(tx, brandId, id);
      await tx.delete(Webhook, { id });
      return { result: row, subject: `webhook:${id}`, detail: { url: row.url } };
    });
  }

  /** Sends a dead letter, or what was delivered, once more: under its old id, with a day of attempts. */
  replay(who: Principal, brandId: string, deliveryId: string): Promise<WebhookDelivery> {
    return this.act(who, brandId, 'replay-delivery', { deliveryId }, async (tx) => {
      const id = requireUuid(deliveryId, 'delivery');
      const row = await tx.findOne(WebhookDelivery, {
        where: { id, brandId },
        lock: { mode: 'pessimistic_write' },
      });
      if (row === null) throw new OperationError('not-found', `cannot find delivery ${id}`);
      if (row.state === 'pending')
        throw new OperationError('conflict', 'cannot replay a delivery that is under way');
      const now = this.resources.db.clock.now();
      const again = { state: 'pending', attempts: 0, since: now, nextAttemptAt: now } as const;
      await tx.update(WebhookDelivery, { id }, again);
      await addToOutbox(tx, 'notify-deliver', { brandId, deliveryId: id });
      return { result: Object.assign(row, again), subject: `delivery:${id}` };
    });
  }

  private act<T extends object>(
    who: Principal,
    brandId: string,
    action: string,
    request: unknown,
    work: (tx: Tx) => Promise<Done<T>>,
  ): Promise<T> {
    const act: Act = { who, brandId, action, request };
    return performAct(this.resources.db, act, work);
  }

  private shown(row: Webhook): WebhookWithSecret {
    const secret = webhookSecret(this.resources.settings.secret, row.id, row.secretNo);
    return { ...row, secret };
  }
}

async function getWebhook(tx: Tx, brandId: string, id: string): Promise<Webhook> {
  const row = await tx.findOne(Webhook, {
    where: { id: requireUuid(id, 'webhook'), brandId },
    lock: { mode: 'pessimistic_write' },
  });
  if (row === null) throw new OperationError('not-found', `cannot find webhook ${id}`);
  return row;
}

function requireTarget(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isGood =
    url !== null &&
    ['https:', 'http:'].includes(url.protocol) &&
    url.username + url.password === '' &&
    text.length <= 2_000;
  if (!isGood)
    throw new OperationError('invalid', 'cannot send there: name an https URL without a password', {
      paths: ['url'],
    });
  return url.href;
}

function requireKinds(kinds: readonly string[]): string[] {
  const known: readonly string[] = EVENT_KINDS;
  const unknown = kinds.filter((kind) => !known.includes(kind));
  if (unknown.length > 0)
    throw new OperationError('invalid', `cannot send events of kind ${unknown.join(', ')}`, {
      paths: ['kinds'],
    });
  return [...new Set(kinds)];
}
