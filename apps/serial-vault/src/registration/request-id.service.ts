import { randomBytes } from 'node:crypto';
import { formatNonce, hashNonce, RANDOM_BYTES } from '#libs/auth';
import { countOutstandingRequestIds, insertRequestId, type VaultApiKey } from '#libs/database';
import { refuse } from '../refusal.js';
import type { VaultResources } from '../resources.js';
import { checkKeylessRequestId, findLiveApiKey } from './checks/api-key.js';
import type { RateLimiter } from './rate-limiter.js';

/** Gives out request-ids (serial-vault.md 2.3, 8). */
export class RequestIdService {
  constructor(
    private readonly resources: VaultResources,
    private readonly limiter: RateLimiter,
  ) {}

  /** Throws `Refusal`: `missing-api-key`, `invalid-api-key`, `busy`, `blocked-address`. */
  async issue(apiKey: string | undefined, address: string): Promise<string> {
    const { db, settings } = this.resources;
    const now = db.clock.now();
    this.limiter.check(`request-id ${address}`, address, now.getTime());
    const requestId = formatNonce(randomBytes(RANDOM_BYTES));
    await db.asSystem(async (tx) => {
      const context = { tx, resources: this.resources, limiter: this.limiter, now };
      let key: VaultApiKey | null = null;
      if (apiKey === undefined) await checkKeylessRequestId(tx);
      else key = await findLiveApiKey(apiKey, address, context);
      const apiKeyId = key?.id ?? null;
      if ((await countOutstandingRequestIds(tx, apiKeyId)) >= settings.requestIdsPerKey) {
        refuse('busy', 'cannot give out more request-ids now; the device asks again by itself');
      }
      await insertRequestId(
        tx,
        { nonceHash: hashNonce(requestId), apiKeyId, address },
        settings.requestIdSeconds,
      );
    });
    return requestId;
  }
}
