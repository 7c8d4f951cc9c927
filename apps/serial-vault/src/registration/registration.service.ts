import type { Assertion } from '#libs/assertions';
import {
  appendSigningLog,
  consumeRequestId,
  holdRequest,
  reserve,
  type SigningLogEntry,
  type Tx,
} from '#libs/database';
import { refuse, Refusal } from '../refusal.js';
import type { VaultResources } from '../resources.js';
import { Attempt, known, type Decision, type Envelope } from './attempt.js';
import { CHECKS } from './checks/index.js';
import { INVALID_REQUEST_ID } from './checks/request-id.js';
import { completeRegistration } from './complete.js';
import { asRefusal } from './failures.js';
import { logEntry, RefusalLog } from './log-entry.js';
import type { RateLimiter } from './rate-limiter.js';
import { signSerial } from './sign-serial.js';

/** How long a serial stays reserved when a process dies while it signs. */
const RESERVATION_SECONDS = 120;
/** How long a byte-identical request gets the stored answer (serial-vault.md 8). */
const REPEATABLE_SECONDS = 86_400;
const DAY_SECONDS = 86_400;

export type RegistrationAnswer =
  { readonly kind: 'serial'; readonly serial: Assertion } | { readonly kind: 'pending' };

/**
 * Registers a device: checks and reservation in one transaction, the signature outside of any, then serial and signing log
 * in another one, and only then the answer (serial-vault.md 4.2, decisions 21). Whenever a process dies in between, the
 * device's next request takes its reservation over.
 */
export class RegistrationService {
  private readonly refusals: RefusalLog;

  constructor(
    private readonly resources: VaultResources,
    private readonly limiter: RateLimiter,
  ) {
    this.refusals = new RefusalLog(resources);
  }

  /** Throws `Refusal`, for every failure there is. */
  async register(envelope: Envelope): Promise<RegistrationAnswer> {
    const attempt = new Attempt(envelope);
    try {
      return await this.walk(attempt);
    } catch (error) {
      const refusal = asRefusal(error);
      if (!(error instanceof Refusal))
        this.resources.log.error({ err: error }, 'a registration failed');
      await this.refusals.record(attempt, refusal);
      throw refusal;
    }
  }

  private async walk(attempt: Attempt): Promise<RegistrationAnswer> {
    const decision = await this.decide(attempt);
    switch (decision.kind) {
      case 'hold':
        this.count('pending');
        // A late order comes by itself; what may be a clone needs a person (serial-vault.md 6.3).
        if (decision.isNew && decision.why === 'duplicate')
          this.resources.alarm('duplicate-held', attempt.ref);
        return { kind: 'pending' };
      case 'repeat':
        this.count('repeated');
        return { kind: 'serial', serial: decision.serial };
      case 'sign': {
        const serial = await this.sign(attempt);
        const outcome = await completeRegistration(this.resources, attempt, decision, serial);
        this.count(outcome.kind);
        return { kind: 'serial', serial: outcome.serial };
      }
    }
  }

  /** Steps 1 to 16 and the reservation. */
  private async decide(attempt: Attempt): Promise<Decision> {
    const { resources, limiter } = this;
    const { db, trust } = resources;
    const trusted = await trust.database();
    return db.asSystem(async (tx) => {
      const context = { tx, resources, trusted, limiter, now: db.clock.now() };
      for (const check of CHECKS) await check.run(attempt, context);
      const decision = known(attempt.decision, 'the decision on duplicates');
      await this.settle(tx, attempt, decision);
      return decision;
    });
  }

  private async settle(tx: Tx, attempt: Attempt, decision: Decision): Promise<void> {
    switch (decision.kind) {
      case 'sign':
        await this.consume(tx, attempt, REPEATABLE_SECONDS);
        await reserve(
          tx,
          { ...attempt.holder, apiKeyId: attempt.apiKey?.id ?? null },
          RESERVATION_SECONDS,
        );
        return;
      case 'repeat':
        await this.consume(tx, attempt, REPEATABLE_SECONDS);
        await this.append(tx, attempt, {
          outcome: 'repeated',
          revision: decision.device.revision,
          signKeyId: decision.device.signKeyId,
        });
        return;
      case 'hold': {
        const { days, isNew, formerDeviceKeyId = '' } = decision;
        await this.consume(tx, attempt, days * DAY_SECONDS);
        if (!isNew) return;
        await holdRequest(tx, attempt.holder, formerDeviceKeyId, days);
        await this.append(tx, attempt, { outcome: 'pending' });
      }
    }
  }

  private async consume(
    tx: Tx,
    { requestIdHash, requestDigest }: Attempt,
    seconds: number,
  ): Promise<void> {
    if (await consumeRequestId(tx, requestIdHash, requestDigest, seconds)) return;
    refuse('invalid-nonce', INVALID_REQUEST_ID);
  }

  private async append(
    tx: Tx,
    attempt: Attempt,
    entry: Omit<SigningLogEntry, 'brandId'>,
  ): Promise<void> {
    await appendSigningLog(tx, { ...logEntry(attempt), ...entry, brandId: attempt.brandId });
  }

  private async sign(attempt: Attempt): Promise<Assertion> {
    const stop = this.resources.metrics.signSeconds.startTimer();
    try {
      return await signSerial(this.resources, attempt);
    } finally {
      stop();
    }
  }

  private count(outcome: string): void {
    this.resources.metrics.registrations.inc({ outcome, code: '' });
  }
}
