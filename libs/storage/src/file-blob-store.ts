import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  checkKey,
  clampRange,
  notFound,
  pieces,
  type BlobInfo,
  type BlobStore,
  type Bytes,
  type ByteRange,
  type SignOptions,
} from './blob-store.js';
import { signUrl, type UrlSigner } from './signed-url.js';

/**
 * Blobs as files, for one machine: `<dir>/ab/<sha-256 of the key>` holds the bytes, the same with `.key` the key. Hashed names
 * make every key safe on every disk (local-stack.md 5.1). A blob appears by `rename` or `link` of a finished, synced file.
 */
export class FileBlobStore implements BlobStore {
  readonly kind = 'files';

  constructor(
    private readonly dir: string,
    private readonly signer: UrlSigner,
  ) {}

  async put(key: string, content: Bytes): Promise<BlobInfo> {
    const path = this.path(key);
    const draft = await this.draft(content);
    await this.nameKey(path, key);
    await rename(draft.path, path);
    await syncFolder(dirname(path));
    return { key, sizeBytes: draft.sizeBytes };
  }

  async createIfAbsent(key: string, content: Uint8Array): Promise<boolean> {
    const path = this.path(key);
    const draft = await this.draft([content]);
    await this.nameKey(path, key);
    try {
      await link(draft.path, path);
      await syncFolder(dirname(path));
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(draft.path, { force: true });
    }
  }

  async get(key: string, range?: ByteRange): Promise<Readable> {
    const path = this.path(key);
    const info = await this.head(key);
    if (!info) throw notFound(key);
    if (range) return createReadStream(path, clampRange(key, range, info.sizeBytes));
    return createReadStream(path);
  }

  async head(key: string): Promise<BlobInfo | null> {
    try {
      return { key, sizeBytes: (await stat(this.path(key))).size };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.path(key);
    await rm(path, { force: true });
    await rm(`${path}.key`, { force: true });
  }

  async copy(from: string, to: string): Promise<void> {
    const target = this.path(to);
    const draft = await this.draftPath();
    try {
      await copyFile(this.path(from), draft);
    } catch (error) {
      throw codeOf(error) === 'ENOENT' ? notFound(from, error) : error;
    }
    await this.nameKey(target, to);
    await rename(draft, target);
  }

  async rename(from: string, to: string): Promise<void> {
    const source = this.path(from);
    const target = this.path(to);
    if (!(await this.head(from))) throw notFound(from);
    if (from === to) return;
    await this.nameKey(target, to);
    try {
      await rename(source, target);
    } catch (error) {
      throw codeOf(error) === 'ENOENT' ? notFound(from, error) : error;
    }
    await rm(`${source}.key`, { force: true });
    await syncFolder(dirname(target));
  }

  async *list(prefix: string): AsyncIterable<BlobInfo> {
    for (const folder of await namesIn(this.dir)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      for (const name of await namesIn(join(this.dir, folder))) {
        if (!name.endsWith('.key')) continue;
        const key = await readFile(join(this.dir, folder, name), 'utf8').catch(() => '');
        if (!key.startsWith(prefix) || key === '') continue;
        const info = await this.head(key);
        if (info) yield info;
      }
    }
  }

  async sweepUnfinished(before: Date): Promise<number> {
    const folder = join(this.dir, 'tmp');
    let swept = 0;
    for (const name of await namesIn(folder)) {
      const path = join(folder, name);
      const info = await stat(path).catch(() => null); // finished meanwhile
      if (!info || info.mtime >= before) continue;
      await rm(path, { force: true });
      swept++;
    }
    return swept;
  }

  async signGet(key: string, { expiresInS, fileName }: SignOptions): Promise<string> {
    return signUrl(this.signer, checkKey(key), new Date(Date.now() + expiresInS * 1000), fileName);
  }

  private path(key: string): string {
    const hash = createHash('sha256').update(checkKey(key)).digest('hex');
    return join(this.dir, hash.slice(0, 2), hash);
  }

  /** Written before the bytes: one without the other is passed over by `list`. */
  private async nameKey(path: string, key: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const draft = await this.draft([Buffer.from(key)]);
    await rename(draft.path, `${path}.key`);
  }

  private async draftPath(): Promise<string> {
    const folder = join(this.dir, 'tmp');
    await mkdir(folder, { recursive: true });
    return join(folder, randomUUID());
  }

  private async draft(content: Bytes): Promise<{ path: string; sizeBytes: number }> {
    const path = await this.draftPath();
    const file = await open(path, 'wx', 0o600);
    let sizeBytes = 0;
    try {
      for await (const part of pieces(content)) {
        sizeBytes += part.length;
        await writeAll(file, part);
      }
      await file.datasync();
      await file.close();
    } catch (error) {
      await file.close().catch(() => {});
      await rm(path, { force: true });
      throw error;
    }
    return { path, sizeBytes };
  }
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
  }
}

/** The name of a file is safe on the disk when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
