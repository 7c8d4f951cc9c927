import { findLineRows } from '#libs/database';
import { askStore, StoreSilent } from '../registry/ask-store.js';
import type { VaultResources } from '../resources.js';
import { VaultError } from './vault-error.js';

const MAX_SERIALS = 500;

/** How far one device has come on the line (S26). */
export interface LineState {
  readonly serial: string;
  readonly isListed: boolean;
  readonly issuedAt: Date | null;
  readonly sessionAt: Date | null;
  readonly polledAt: Date | null;
  /** Issued, session opened, first poll seen. */
  readonly isGo: boolean;
  /** What is missing, in words; empty for a device that may leave the line. */
  readonly missing: string;
}

/** What the line asks before a device is packed. */
export class LineService {
  constructor(private readonly resources: VaultResources) {}

  /** One state for each serial, in their order. What the store says is asked of it now; silence is no go. */
  async states(brandId: string, model: string, serials: readonly string[]): Promise<LineState[]> {
    if (serials.length > MAX_SERIALS)
      throw new VaultError('invalid', `cannot look at more than ${MAX_SERIALS} serials at once`);
    const rows = await this.resources.db.asBrand(brandId, (tx) =>
      findLineRows(tx, brandId, model, serials),
    );
    const bySerial = <T extends { serial: string }>(of: readonly T[]): Map<string, T> =>
      new Map(of.map((row) => [row.serial, row]));
    const issued = bySerial(rows.devices);
    const expected = bySerial(rows.listed);
    const held = bySerial(rows.waiting);
    const atStore = await this.ask(brandId, model, serials);
    return serials.map((serial) => {
      const device = issued.get(serial);
      const seen = typeof atStore === 'string' ? undefined : atStore.get(serial);
      const missing = [
        device === undefined && (held.has(serial) ? 'waits for approval' : 'no serial issued'),
        device?.revokedAt && 'revoked',
        typeof atStore === 'string' && atStore,
        typeof atStore !== 'string' && !seen?.sessionAt && 'no session opened',
        typeof atStore !== 'string' && !seen?.polledAt && 'no poll seen',
      ].filter((what) => typeof what === 'string');
      return {
        serial,
        isListed: expected.has(serial),
        issuedAt: device?.signedAt ?? null,
        sessionAt: seen?.sessionAt ?? null,
        polledAt: seen?.polledAt ?? null,
        isGo: missing.length === 0,
        missing: missing.join(', '),
      };
    });
  }

  /** By serial; a text: why nothing is known. */
  private async ask(
    brandId: string,
    model: string,
    serials: readonly string[],
  ): Promise<string | Map<string, { sessionAt: Date | null; polledAt: Date | null }>> {
    const instant = (text: string | null): Date | null => (text === null ? null : new Date(text));
    try {
      const { devices } = await askStore(this.resources, 'devices', brandId, { model, serials });
      return new Map(
        devices.map((one) => [
          one.serial,
          { sessionAt: instant(one['session-at']), polledAt: instant(one['polled-at']) },
        ]),
      );
    } catch (error) {
      if (!(error instanceof StoreSilent)) throw error;
      return `cannot ask the store: ${error.message}`;
    }
  }
}
