import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import type { FileSystem, SevenZipModule, SevenZipModuleFactory } from '7z-wasm';
import { parseListing } from './squashfs-listing.js';
import type { SnapEntry } from './squashfs-listing.js';

// Entry of the process that touches a stranger's file system image: it has an own address space, no environment, and is killed
// when it takes too long. `node squashfs-process.js FILE LIMIT_BYTES MEMBER…` prints one line of JSON.

/** What the process prints. */
export type SquashfsReport =
  | { readonly entries: readonly SnapEntry[]; readonly files: Readonly<Record<string, string>> }
  | { readonly error: string };

// The type package says void; Emscripten's callMain returns the exit code of main().
type SevenZip = Omit<SevenZipModule, 'callMain'> & { callMain(args: string[]): number };

const MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;
const PAGE_BYTES = 65_536;
const MOST_LINES = 8_000_000;

/** Emscripten asks for memory by this method only, and treats a throw as "out of memory". */
function limitMemory(): void {
  // The library of DOM types, which names WebAssembly, is not loaded for a server.
  const { Memory } = (
    globalThis as unknown as { WebAssembly: { Memory: { prototype: WasmMemory } } }
  ).WebAssembly;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own receiver below
  const grow = Memory.prototype.grow;
  Memory.prototype.grow = function (this: WasmMemory, pages: number): number {
    if (this.buffer.byteLength + pages * PAGE_BYTES > MEMORY_LIMIT_BYTES) {
      throw new RangeError('cannot take more memory');
    }
    return grow.call(this, pages);
  };
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

async function read(
  file: string,
  limitBytes: number,
  members: readonly string[],
): Promise<SquashfsReport> {
  const lines: string[] = [];
  const complaints: string[] = [];
  const make = createRequire(import.meta.url)('7z-wasm') as SevenZipModuleFactory;
  const zip = (await make({
    print: (line) => {
      if (lines.push(line) > MOST_LINES) throw new RangeError('cannot list so many files');
    },
    printErr: (line) => void complaints.push(line),
  })) as SevenZip;
  zip.FS.mkdir('/in');
  zip.FS.mount(zip.NODEFS, { root: dirname(file) }, '/in');
  const archive = `/in/${basename(file)}`;
  if (zip.callMain(['l', '-slt', '-tSquashFS', archive]) !== 0) {
    return { error: complaints.filter(Boolean).join('; ').replaceAll(archive, 'the file') };
  }
  const entries = parseListing(lines);
  // A missing or linked member comes out empty with exit code 0: the listing decides what is taken.
  const wanted = members.filter((path) =>
    entries.some((e) => e.path === path && e.kind === 'file' && e.sizeBytes <= limitBytes),
  );
  return { entries, files: extract(zip, archive, wanted) };
}

function extract(
  zip: SevenZip,
  archive: string,
  wanted: readonly string[],
): Record<string, string> {
  if (wanted.length === 0) return {};
  zip.FS.mkdir('/out');
  zip.FS.chdir('/out');
  const code = zip.callMain(['x', '-y', '-tSquashFS', archive, ...wanted]);
  if (code !== 0) throw new Error(`cannot extract ${wanted.join(', ')}: 7-Zip ends with ${code}`);
  return Object.fromEntries(wanted.map((path) => [path, bytesOf(zip.FS, path).toString('base64')]));
}

/** Bytes come from its file system: `print` decodes text. */
function bytesOf(fs: FileSystem, path: string): Buffer {
  return Buffer.from(fs.readFile(`/out/${path}`));
}

limitMemory();
const [file = '', limit = '0', ...members] = process.argv.slice(2);
const report: SquashfsReport = await read(realpathSync(file), Number(limit), members).catch(
  (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
);
process.stdout.write(`${JSON.stringify(report)}\n`);
