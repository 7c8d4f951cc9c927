const EVERY_MS = 1_000;
const PLAIN_EVERY_HOURS = 24;

/** Where a simulation is: one line that is written over, or where nobody watches one line a simulated day. */
export class Progress {
  private shownAt = 0;

  constructor(private readonly out: NodeJS.WriteStream) {}

  /** `belief` is only asked for when it is shown: it takes a look at each device. */
  show(hours: number, wave: number, belief: () => Readonly<Record<string, number>>): void {
    const isDue = this.out.isTTY
      ? Date.now() - this.shownAt >= EVERY_MS
      : hours % PLAIN_EVERY_HOURS === 0;
    if (!isDue) return;
    this.shownAt = Date.now();
    const counted = Object.entries(belief()).map(([step, count]) => `${step} ${count}`);
    const line = `   day ${(hours / 24).toFixed(1)}, wave ${wave}: ${counted.join(', ')}`;
    this.out.write(this.out.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  }

  end(): void {
    if (this.out.isTTY) this.out.write('\r\u001b[K');
  }
}
