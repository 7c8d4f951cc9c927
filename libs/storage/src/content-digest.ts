import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { entryBeside } from '#libs/process-entry';

/** Hex. */
export interface ContentDigests {
  readonly sha3_384: string;
  readonly sha256: string;
}

/** Said of each block in its turn: its memory is free again. */
export type BlockDone = 'block-done';

const BLOCK_BYTES = 2 ** 20;
/** While one is filled, the others are on their way. */
const BLOCKS = 4;

/**
 * Digests of one content, computed on a thread beside: SHA3-384 of a gigabyte takes three seconds, in which nobody else would
 * be answered. Bytes are copied into a ring of shared blocks, so memory stays flat and nothing is held up but by a full ring.
 */
export class ContentDigest {
  private readonly port: MessagePort;
  private readonly ring: Uint8Array[] = [];
  private filledBytes = 0;
  private sent = 0;
  private done = 0;
  private digests: ContentDigests | undefined;
  private isLost = false;
  private wake = (): void => {};

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    port1.on('message', (said: BlockDone | ContentDigests) => {
      if (said === 'block-done') this.done += 1;
      else this.digests = said;
      this.wake();
    });
    port1.on('close', () => {
      this.isLost = true;
      this.wake();
    });
    runningThread().postMessage(port2, [port2]);
  }

  async add(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const taken = chunk.subarray(at, at + BLOCK_BYTES - this.filledBytes);
      this.block.set(taken, this.filledBytes);
      this.filledBytes += taken.length;
      at += taken.length;
      if (this.filledBytes === BLOCK_BYTES) this.send();
      if (this.sent - this.done >= BLOCKS) await this.until(() => this.sent - this.done < BLOCKS);
    }
  }

  async end(): Promise<ContentDigests> {
    if (this.filledBytes > 0) this.send();
    this.port.postMessage(null);
    await this.until(() => this.digests !== undefined);
    if (!this.digests) throw new Error('internal error: no digests');
    return this.digests;
  }

  /** Also of a content that did not come to its end. */
  close(): void {
    this.port.close();
  }

  private get block(): Uint8Array {
    return (this.ring[this.sent % BLOCKS] ??= new Uint8Array(new SharedArrayBuffer(BLOCK_BYTES)));
  }

  private send(): void {
    this.port.postMessage(this.block.subarray(0, this.filledBytes));
    this.sent += 1;
    this.filledBytes = 0;
  }

  private async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.isLost) throw new Error('cannot compute digests: their thread has ended');
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

let thread: Worker | undefined;

/** One for all contents of this process; it keeps nobody from ending. */
function runningThread(): Worker {
  if (thread) return thread;
  const started = startThread();
  started.unref();
  // Whoever waits hears of it by the end of their port; the next content starts another.
  started.on('error', () => {});
  started.on('exit', () => {
    if (thread === started) thread = undefined;
  });
  return (thread = started);
}

function startThread(): Worker {
  const { file, execArgv } = entryBeside(import.meta.url, 'digest-thread');
  return new Worker(file, { execArgv: [...execArgv] });
}
