import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What `bridge.py` answers. */
export interface LibraryAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** As `SNAPCRAFT_STORE_CREDENTIALS` takes them. */
  readonly credentials: string;
  /** What snapcraft shows of an error. */
  readonly printed?: string;
}

type Line = { readonly id: number } & (LibraryAnswer | { readonly failure: string });

/** The real client library of snapcraft in a process of its own; it ends with ours. */
export class CraftStore {
  private readonly waiting = new Map<number, (line: Line) => void>();
  private readonly write: (text: string) => void;
  private last = 0;

  constructor(python: string) {
    const bridge = fileURLToPath(new URL('./bridge.py', import.meta.url));
    const child = spawn(python, [bridge], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.unref();
    this.write = (text) => child.stdin.write(text);
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      this.waiting.get(line.id)?.(line);
      this.waiting.delete(line.id);
    });
    child.once('exit', (code) => {
      const failure = `the client library ended with ${code}`;
      for (const [id, answer] of this.waiting) answer({ id, failure });
    });
  }

  /** Throws where the library itself gives up: on what is no answer of a store, on credentials that it cannot read. */
  async call(op: 'login' | 'request' | 'upload', order: object): Promise<LibraryAnswer> {
    this.last += 1;
    const id = this.last;
    const line = await new Promise<Line>((resolve) => {
      this.waiting.set(id, resolve);
      this.write(`${JSON.stringify({ id, op, ...order })}\n`);
    });
    if ('failure' in line) throw new Error(line.failure);
    return line;
  }
}
