import { listed, type Counted } from './outcome.js';

const EVERY_MS = 1_000;
const PLAIN_EVERY_HOURS = 24;

/** Where a simulation is: one line that is written over, or where nobody watches one line a simulated day. */
export class Progress {
  private shownAt = 0;

  constructor(private readonly out: NodeJS.WriteStream) {}

  /** Whether somebody wants to see where it is after so many hours: to say so takes a look at each device. */
  isDue(hours: number): boolean {
    return this.out.isTTY ? Date.now() - this.shownAt >= EVERY_MS : hours % PLAIN_EVERY_HOURS === 0;
  }

  show(hours: number, wave: number, belief: Counted, more = ''): void {
    this.shownAt = Date.now();
    const line = `   day ${(hours / 24).toFixed(1)}, wave ${wave}: ${listed(belief)}${more}`;
    this.out.write(this.out.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  }

  end(): void {
    if (this.out.isTTY) this.out.write('\r\u001b[K');
  }
}
