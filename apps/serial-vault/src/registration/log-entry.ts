import { header } from '#libs/assertions';
import { appendSigningLog, NO_BRAND, VaultBrand, type SigningLogEntry } from '#libs/database';
import type { Refusal } from '../refusal.js';
import type { VaultResources } from '../resources.js';
import type { Attempt } from './attempt.js';

/** What is known of an attempt, for the signing log (serial-vault.md 12.2); the texts come with what is signed. */
export function logEntry(attempt: Attempt): Omit<SigningLogEntry, 'brandId' | 'outcome'> {
  const { parts, envelope, registered, apiKey } = attempt;
  return {
    model: clip(attempt.model),
    serial: clip(attempt.serial || attempt.proposedSerial),
    deviceKeyId: attempt.deviceKeyId,
    policyRevision: registered?.policyRevision ?? null,
    apiKeyId: apiKey?.id ?? null,
    userAgent: clip(envelope.userAgent),
    address: envelope.address,
    requestIdHash: attempt.requestIdHash,
    requestDigest: attempt.requestDigest,
    originalModel: parts ? clip(header(parts.serialRequest, 'original-model')) : '',
    originalSerial: parts ? clip(header(parts.serialRequest, 'original-serial')) : '',
  };
}

/** Strangers choose these texts. Postgres has no NUL. */
const clip = (text: string): string => text.slice(0, 200).replaceAll('\u0000', '');

/** So many like refusals per minute are written, the rest is counted (serial-vault.md 12.2). */
const WRITTEN_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
const MAX_KINDS = 10_000;

interface Tally {
  minute: number;
  seen: number;
  thinned: number;
}

/** Writes refusals, thinned under attack. */
export class RefusalLog {
  private readonly tallies = new Map<string, Tally>();

  constructor(private readonly resources: VaultResources) {}

  /** Never throws: a refusal that cannot be written is still the answer. */
  async record(attempt: Attempt, refusal: Refusal): Promise<void> {
    const { code } = refusal;
    this.resources.metrics.registrations.inc({ outcome: 'refused', code });
    const thinned = this.tally(`${attempt.apiKey?.id ?? attempt.envelope.address} ${code}`);
    if (thinned === null) return;
    try {
      await this.resources.db.asSystem(async (tx) => {
        // Whose key it is; who came without one is told to the brand that they named. An unknown one gets no chain.
        const isKnown =
          attempt.brandId !== '' && (await tx.existsBy(VaultBrand, { id: attempt.brandId }));
        const brandId = attempt.apiKey?.brandId ?? (isKnown ? attempt.brandId : NO_BRAND);
        await appendSigningLog(tx, {
          ...logEntry(attempt),
          brandId,
          outcome: 'refused',
          code,
          thinned,
        });
      });
    } catch (err) {
      this.resources.log.error({ err, code }, 'cannot log a refusal');
    }
  }

  /** How many went unwritten before this one, or null when this one does too. */
  private tally(kind: string): number | null {
    const minute = Math.floor(Date.now() / MINUTE_MS);
    const known = this.tallies.get(kind);
    if (known?.minute === minute) {
      known.seen += 1;
      if (known.seen <= WRITTEN_PER_MINUTE) return 0;
      known.thinned += 1;
      return null;
    }
    const [oldest] = this.tallies.keys();
    if (this.tallies.size >= MAX_KINDS && oldest !== undefined) this.tallies.delete(oldest);
    this.tallies.delete(kind);
    this.tallies.set(kind, { minute, seen: 1, thinned: 0 });
    return known?.thinned ?? 0;
  }
}
