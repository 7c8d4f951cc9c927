import Table from 'cli-table3';
import colors from 'picocolors';

/** Tells the story on a terminal: numbered steps, what happened in each, how long it took. */
export class Narrator {
  private readonly started = Date.now();

  constructor(
    private readonly write: (text: string) => void = (text) => process.stdout.write(text),
  ) {}

  async step<T>(no: number, title: string, work: () => Promise<T>): Promise<T> {
    const started = Date.now();
    this.write(
      `\n${colors.bold(`${no}. ${title}`)} ${colors.dim(`at ${seconds(started - this.started)}`)}\n`,
    );
    const result = await work();
    this.write(colors.dim(`   took ${seconds(Date.now() - started)}\n`));
    return result;
  }

  say(line: string): void {
    this.write(`   ${line}\n`);
  }

  /** A refusal that was wanted: who was refused, what the client read. */
  refused(who: string, answer: string): void {
    this.write(`   ${colors.yellow('refused')} ${who}: ${answer}\n`);
  }

  /** One line that is written over while `done` rises; plain lines where nobody watches. */
  progress(what: string, done: number, total: number): void {
    if (!process.stdout.isTTY) {
      if (done === total) this.write(`   ${what}: ${done} of ${total}\n`);
      return;
    }
    this.write(`\r   ${what}: ${done} of ${total}${done === total ? '\n' : ''}`);
  }

  table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
    const isTerminal = process.stdout.isTTY;
    const table = new Table({
      head: [...head],
      style: {
        head: isTerminal ? ['cyan'] : [],
        border: isTerminal ? ['grey'] : [],
        compact: true,
      },
    });
    table.push(...rows.map((row) => row.map(String)));
    this.write(`${table.toString()}\n`);
  }
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
