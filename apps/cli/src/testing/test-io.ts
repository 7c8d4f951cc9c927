import { Readable } from 'node:stream';
import type { Io } from '../io.js';

export interface Ran {
  readonly out: Buffer;
  readonly text: string;
  readonly err: string;
  /** What `writeSecret` was given, by path. */
  readonly written: Record<string, string>;
}

/** An `Io` over made-up files that keeps what a command says; `rest` replaces what a test wants otherwise. */
export function testIo(
  files: Readonly<Record<string, string | Buffer>> = {},
  rest: Partial<Io> = {},
): { io: Io; ran: () => Ran } {
  const out: Buffer[] = [];
  const err: string[] = [];
  const written: Record<string, string> = {};
  const io: Io = {
    env: {},
    read: async (path) => {
      if (path in files) return Buffer.from(files[path] ?? '');
      throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
    },
    stream: (path) => Readable.from([Buffer.from(files[path] ?? '')]),
    writeSecret: async (path, content) => {
      if (path in files) throw Object.assign(new Error('exists'), { code: 'EEXIST' });
      written[path] = content;
    },
    out: (content) => void out.push(Buffer.from(content)),
    err: (text) => void err.push(text),
    now: () => new Date('2026-11-20T12:00:00Z'),
    ask: null,
    screen: null,
    ...rest,
  };
  const ran = (): Ran => ({
    out: Buffer.concat(out),
    text: Buffer.concat(out).toString(),
    err: err.join('\n'),
    written,
  });
  return { io, ran };
}
