import { Refusal, type RefusalCode } from '../refusal.js';
import type { VaultResources } from '../resources.js';
import { Attempt } from './attempt.js';
import { CHECKS } from './checks/index.js';
import { RateLimiter } from './rate-limiter.js';

export interface DryRunOrder {
  readonly brandId: string;
  readonly model: string;
  readonly serial: string;
  /** Without it the device is taken for a new one. */
  readonly deviceKeyId?: string | undefined;
}

export interface Verdict {
  readonly step: number;
  readonly name: string;
  readonly passed: boolean;
  readonly code: RefusalCode | null;
  readonly message: string;
}

export interface DryRun {
  readonly outcome: 'signed' | 'repeated' | 'pending' | 'refused';
  readonly serial: string;
  readonly verdicts: readonly Verdict[];
}

/** No real key has this id. */
const NEW_DEVICE = 'a-device-key-that-nobody-has';

/** Carries the result out of a transaction that must leave nothing behind. */
class RolledBack extends Error {
  constructor(readonly result: DryRun) {
    super('rolled back on purpose');
  }
}

/**
 * "Would this serial be signed, and if not why": the same checks on a serial and a key alone. Signs nothing and uses nothing
 * up (serial-vault.md 17.4). After a refusal the other checks are still asked, except where they build on it.
 */
export async function wouldSign(resources: VaultResources, order: DryRunOrder): Promise<DryRun> {
  const attempt = new Attempt({
    body: Buffer.alloc(0),
    contentType: undefined,
    apiKey: undefined,
    address: '',
    userAgent: '',
  });
  attempt.brandId = order.brandId;
  attempt.model = order.model;
  attempt.proposedSerial = order.serial;
  attempt.serial = order.serial;
  attempt.deviceKeyId = order.deviceKeyId ?? NEW_DEVICE;
  const trusted = await resources.trust.database();
  try {
    return await resources.db.asSystem(async (tx) => {
      const limiter = new RateLimiter(resources.settings.rate);
      const context = { tx, resources, trusted, limiter, now: resources.db.clock.now() };
      const verdicts: Verdict[] = [];
      for (const { step, name, run } of CHECKS.filter(({ isDry }) => isDry)) {
        const refusal = await refusalOf(() => run(attempt, context));
        verdicts.push({
          step,
          name,
          passed: refusal === null,
          code: refusal?.code ?? null,
          message: refusal?.message ?? '',
        });
        // Everything after step 9 is asked of the registered model.
        if (attempt.registered === undefined) break;
      }
      throw new RolledBack({
        outcome: outcomeOf(attempt, verdicts),
        serial: attempt.serial,
        verdicts,
      });
    });
  } catch (error) {
    if (error instanceof RolledBack) return error.result;
    throw error;
  }
}

async function refusalOf(run: () => Promise<void>): Promise<Refusal | null> {
  try {
    await run();
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function outcomeOf({ decision }: Attempt, verdicts: readonly Verdict[]): DryRun['outcome'] {
  if (verdicts.some(({ passed }) => !passed)) return 'refused';
  switch (decision?.kind) {
    case 'repeat':
      return 'repeated';
    case 'hold':
      return 'pending';
    default:
      return 'signed';
  }
}
