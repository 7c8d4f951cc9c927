import { setTimeout as sleep } from 'node:timers/promises';
import {
  deferVaultOutbox,
  leaseFromVaultOutbox,
  settleVaultOutbox,
  VaultDeviceEvent,
} from '#libs/database';
import type { VaultResources } from '../resources.js';
import { findEventKey } from './event-key.js';

const LEASE_SECONDS = 30;
const REQUEST_MS = 10_000;
/** The safety net below NOTIFY, and the pace of retries. */
const EVERY_MS = 2_000;
const MAX_BACKOFF_SECONDS = 300;

type Outcome = { readonly ok: true } | { readonly ok: false; readonly why: string };

/**
 * Tells the store of revocations and supersessions until it says 204 (ARCHITECTURE.md, between store and vault). Several
 * processes may run; a repeated event is one to the store.
 */
export class EventSender {
  private readonly stopping = new AbortController();
  private wake = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly resources: VaultResources) {}

  start(): void {
    this.resources.db.listener.on('vault_outbox', () => this.wake.abort());
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.wake = new AbortController();
      try {
        while (!this.stopping.signal.aborted && (await this.sendNext()));
      } catch (err) {
        this.resources.log.error({ err }, 'cannot send events to the store');
      }
      await sleep(EVERY_MS, undefined, { signal: this.wake.signal }).catch(() => undefined);
    }
  }

  /** @returns false when nothing is due */
  private async sendNext(): Promise<boolean> {
    const { db, log, metrics } = this.resources;
    const row = await db.asSystem((tx) => leaseFromVaultOutbox(tx, LEASE_SECONDS));
    if (row === null) return false;
    const { eventId } = row.payload as { eventId: string };
    const outcome = await this.tell(eventId).catch((error: unknown): Outcome => ({
      ok: false,
      why: error instanceof Error ? error.message : String(error),
    }));
    metrics.eventsSent.inc({ result: outcome.ok ? 'sent' : 'deferred' });
    if (outcome.ok) {
      await db.asSystem((tx) => settleVaultOutbox(tx, row.id));
      return true;
    }
    const seconds = Math.min(MAX_BACKOFF_SECONDS, 2 ** Math.min(row.attempts, 16) / 2);
    log.warn({ eventId, attempts: row.attempts, why: outcome.why }, 'the store was not told yet');
    await db.asSystem((tx) => deferVaultOutbox(tx, row.id, seconds, outcome.why));
    return true;
  }

  private async tell(eventId: string): Promise<Outcome> {
    const { db, settings } = this.resources;
    if (settings.storeUrl === null) return { ok: false, why: 'no STORE_URL is set' };
    const event = await db.asSystem((tx) => tx.findOneByOrFail(VaultDeviceEvent, { id: eventId }));
    const signer = await findEventKey(this.resources, event);
    if (signer === null) return { ok: false, why: 'the brand has no certified serial key' };
    const body = Buffer.from(JSON.stringify(toMessage(event)));
    const signature = Buffer.from(await signer.sign(body)).toString('base64');
    const answer = await fetch(`${settings.storeUrl}/api/v1/vault/events`, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(REQUEST_MS), this.stopping.signal]),
      headers: {
        'content-type': 'application/json',
        'vault-key': signer.publicKey.id,
        'vault-signature': signature,
      },
      body,
    });
    await answer.arrayBuffer();
    return answer.status === 204
      ? { ok: true }
      : { ok: false, why: `the store answered ${answer.status}` };
  }
}

function toMessage(event: VaultDeviceEvent): Record<string, unknown> {
  return {
    id: event.id,
    kind: event.kind,
    'brand-id': event.brandId,
    model: event.model,
    serial: event.serial,
    'device-key-sha3-384': event.deviceKeyId,
    ...(event.toModel !== null && { to: { model: event.toModel, serial: event.toSerial } }),
    at: event.createdAt.toISOString(),
    reason: event.reason,
  };
}
