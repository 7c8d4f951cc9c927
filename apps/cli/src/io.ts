import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { confirm, input, password } from '@inquirer/prompts';

/** Questions to the person at the terminal. */
export interface Questions {
  text(question: string): Promise<string>;
  /** Without echo. */
  secret(question: string): Promise<string>;
  yes(question: string): Promise<boolean>;
}

/** What a command may touch; tests give their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file, or standard input for `-`. */
  read(path: string): Promise<Buffer>;
  /** As `read`, for files of any size. */
  stream(path: string): Readable;
  /** Writes a new file that only its owner can read; fails if it exists. */
  writeSecret(path: string, content: string): Promise<void>;
  out(content: string | Uint8Array): void;
  err(text: string): void;
  now(): Date;
  /** Null where nobody can be asked: input or output is no terminal. */
  readonly ask: Questions | null;
  /** Where things that move are drawn; null where output is no terminal. */
  readonly screen: Writable | null;
}

// Prompts go to standard error: standard output stays fit for a pipe.
const prompt = { output: process.stderr };

const questions: Questions = {
  text: (message) => input({ message, required: true }, prompt),
  secret: (message) => password({ message, mask: false }, prompt),
  yes: (message) => confirm({ message, default: false }, prompt),
};

/** The process's own files, streams and clock. */
export const processIo: Io = {
  env: process.env,
  read: (path) => (path === '-' ? readStandardInput() : readFile(path)),
  stream: (path) => (path === '-' ? process.stdin : createReadStream(path)),
  writeSecret: (path, content) => writeFile(path, content, { flag: 'wx', mode: 0o600 }),
  out: (content) => void process.stdout.write(content),
  err: (text) => void process.stderr.write(`${text}\n`),
  now: () => new Date(),
  ask: process.stdin.isTTY && process.stderr.isTTY ? questions : null,
  screen: process.stdout.isTTY ? process.stdout : null,
};

async function readStandardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
