import { setTimeout as sleep } from 'node:timers/promises';
import { SESSION_HARD_MS } from '#libs/auth';
import { shiftClock } from '#libs/database';
import { persistently } from '../clients/http.js';

const LIMIT_MS = 120_000;

/** A device that tells what time the store has. */
export interface Probe {
  mintAt(issuedAt: Date): string;
  /** The status of a poll with this session. */
  statusWith(session: string): Promise<number>;
}

/** The store's clock, moved forward by whoever simulates (decisions 19). */
export class CompressedTime {
  private shiftMs = 0;

  /** `probe`: any device; its sessions tell what time the store has. */
  constructor(
    private readonly ownerUrl: string,
    private readonly probe: Probe,
  ) {}

  get now(): Date {
    return new Date(Date.now() + this.shiftMs);
  }

  /** Comes back when the store answers by the new time; time goes on from there by itself. */
  async moveTo(time: Date): Promise<void> {
    if (time <= this.now) return;
    this.shiftMs = time.getTime() - Date.now();
    await persistently(() => shiftClock(this.ownerUrl, this.shiftMs));
    // Valid until exactly then: refused as soon as the store has noticed.
    const ending = this.probe.mintAt(new Date(time.getTime() - SESSION_HARD_MS));
    for (const end = Date.now() + LIMIT_MS; ; await sleep(5)) {
      if ((await this.probe.statusWith(ending)) === 401) return;
      if (Date.now() > end) throw new Error('cannot wait any longer: the store keeps its old time');
    }
  }
}
