// Gathers each program into few files after tsc: thousands of small modules take Node longer to find than to run.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const OUT = path.join('dist', 'bundles');
/** Name of the bundle → what tsc made. */
const PROGRAMS = {
  'store-api-main': 'apps/store-api/src/main.js',
  'store-api-init': 'apps/store-api/src/init.js',
  'worker-main': 'apps/worker/src/main.js',
  'serial-vault-main': 'apps/serial-vault/src/main.js',
  'serial-vault-init': 'apps/serial-vault/src/init.js',
  brandstore: 'apps/cli/src/brandstore.js',
};
/** They look for files of their own, or there must be one copy of them for packages that do. */
const LEFT = [
  '7z-wasm',
  'bullmq',
  'fastify',
  '@fastify/multipart',
  'graphql',
  'ioredis',
  'mercurius',
  'pg',
  'pino',
];

/** Run where `dist` is. A package that is bundled must not be loaded once more by one that is left. */
export async function bundle() {
  fs.rmSync(OUT, { recursive: true, force: true });
  const input = Object.fromEntries(
    Object.entries(PROGRAMS)
      .map(([name, file]) => [name, path.join('dist', file)])
      .filter(([, file]) => fs.existsSync(file)),
  );
  if (Object.keys(input).length === 0) return;
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    input,
    platform: 'node',
    external: (id) => LEFT.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [ownPlaces],
    checks: {},
    logLevel: 'silent',
  });
  await build.write({
    dir: OUT,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    keepNames: true,
  });
  await build.close();
}

/** Our modules start others that lie beside them: they go on by where they were. */
const ownPlaces = {
  name: 'own-places',
  transform(code, id) {
    const from = path.relative(path.resolve('dist'), id);
    if (from.startsWith('..') || !code.includes('import.meta.url')) return null;
    const place = `new URL(${JSON.stringify(`../${from}`)}, import.meta.url).href`;
    return { code: code.replaceAll('import.meta.url', place), map: null };
  },
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await bundle();
