import type { KeyObject } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';

// A process's memory as Linux shows it to its owner: what a core dump of this moment would hold, read without stopping it.

const CHUNK = 8 * 1024 * 1024;

/** A text or number to look for in a memory, with its name. */
export interface Needle {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Names of the needles that lie in the memory of the process. */
export async function foundInMemory(
  pid: number,
  needles: readonly Needle[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  // What lies over the border of two chunks is in one of them.
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length));
  const memory = await open(`/proc/${pid}/mem`, 'r');
  const chunk = Buffer.alloc(CHUNK + overlap);
  try {
    for (const { from, to } of await readableRanges(pid))
      for (let at = from; at < to; at += CHUNK) {
        const length = Math.min(CHUNK + overlap, to - at);
        const part = chunk.subarray(0, await readAt(memory, chunk, length, at));
        for (const { name, bytes } of needles) if (part.includes(bytes)) found.add(name);
      }
  } finally {
    // A buffer that held what was looked for shall not be found in its turn.
    chunk.fill(0);
    await memory.close();
  }
  return found;
}

async function readableRanges(pid: number): Promise<{ from: number; to: number }[]> {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8');
  return maps.split('\n').flatMap((line) => {
    const [, from = '', to = '', what = ''] =
      /^([0-9a-f]+)-([0-9a-f]+) r\S+ (.*)$/.exec(line) ?? [];
    // The kernel's own pages cannot be read by this way, and a file's hold nothing of the process's.
    if (from === '' || /\[v(?:var|syscall|dso)/.test(what)) return [];
    return [{ from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) }];
  });
}

/** Zero bytes where the range has gone meanwhile, or was never there but by name. */
async function readAt(
  memory: Awaited<ReturnType<typeof open>>,
  into: Buffer,
  length: number,
  at: number,
): Promise<number> {
  try {
    return (await memory.read(into, 0, length, at)).bytesRead;
  } catch {
    return 0;
  }
}

/** How long a piece of a number is looked for: by chance it is nowhere. */
const PIECE = 32;

/**
 * The secret numbers of an RSA key as a program may hold them: big- and little-endian, and in the base64 of its PKCS#8 form
 * (any 32 bytes of a number tell it).
 */
export function secretsOf(label: string, key: KeyObject): Needle[] {
  const jwk = key.export({ format: 'jwk' });
  const numbers = (['p', 'q', 'd'] as const).flatMap((name) => {
    const whole = Buffer.from(jwk[name] ?? '', 'base64url');
    const piece = whole.subarray(PIECE, 2 * PIECE);
    return [
      { name: `${label} ${name}`, bytes: piece },
      { name: `${label} ${name} little-endian`, bytes: Buffer.from(piece).reverse() },
      { name: `${label} ${name} base64url`, bytes: middleOf(whole.toString('base64url')) },
    ];
  });
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return [...numbers, { name: `${label} PEM`, bytes: Buffer.from(pem.split('\n')[20] ?? '') }];
}

const middleOf = (text: string): Buffer => Buffer.from(text.slice(40, 40 + 2 * PIECE));
