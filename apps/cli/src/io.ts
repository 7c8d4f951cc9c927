import { readFile, writeFile } from 'node:fs/promises';

/** What a command may touch; tests give their own. */
export interface Io {
  /** Reads a file, or standard input for `-`. */
  read(path: string): Promise<Buffer>;
  /** Writes a new file that only its owner can read; fails if it exists. */
  writeSecret(path: string, content: string): Promise<void>;
  out(content: string | Uint8Array): void;
  err(text: string): void;
  now(): Date;
}

/** The process's own files, streams and clock. */
export const processIo: Io = {
  read: (path) => (path === '-' ? readStandardInput() : readFile(path)),
  writeSecret: (path, content) => writeFile(path, content, { flag: 'wx', mode: 0o600 }),
  out: (content) => void process.stdout.write(content),
  err: (text) => void process.stderr.write(`${text}\n`),
  now: () => new Date(),
};

async function readStandardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
