import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { Client } from 'minio';
import { S3BlobStore } from '#libs/storage';
import { startStack, type Stack } from '#stack';
import { sendFile } from '../../apps/cli/src/publish/send-file.js';
import { startInstallation } from '../installation/index.js';
import { curveOf, watchMemory, type MemoryCurve } from './memory-curve.js';

/** A publisher's file reaches S3 through the store at this share of minio's own speed, and the store's memory grows by no more (issue 7, P33). */
const TARGETS = { share: 0.7, growthMiB: 150 } as const;
const MIB = 2 ** 20;

const HELP = `usage: bench upload [--size MIB] [--rounds N]

Sends a file (1024 MiB) to a store on a real S3 server, as publishers do, and to the same bucket with a bare minio putObject as its
library comes: in pairs, each other pair in the other order (3 pairs), the file in the system's cache, the bucket empty. The median
pair counts. S3_ENDPOINT … names a server, else one is started. Exits 1 where the store has less than ${TARGETS.share} of minio's speed, or grows by more than
${TARGETS.growthMiB} MiB.`;

/** Prints speeds and the store's memory. @returns 0 when the targets are met, 1 otherwise, 2 for wrong arguments */
export async function main(args: string[]): Promise<number> {
  const options = { size: { type: 'string' }, rounds: { type: 'string' } } as const;
  const { size, rounds } = parseArgs({ args, options }).values;
  const sizeMiB = Number(size ?? 1024);
  const count = Number(rounds ?? 3);
  if (!(Number.isInteger(sizeMiB) && sizeMiB > 0 && Number.isInteger(count) && count > 0)) {
    console.error(HELP);
    return 2;
  }
  const stack = await startStack({ ephemeral: true, s3: true, log: (line) => console.log(line) });
  try {
    return await measure(stack, sizeMiB, count);
  } finally {
    await stack.stop();
  }
}

async function measure(stack: Stack, sizeMiB: number, rounds: number): Promise<number> {
  const installation = await startInstallation({
    ...{ stack, database: 'bench_upload', apps: ['store-api'] },
  });
  try {
    const file = await makeFile(stack.dir, sizeMiB);
    const metricsUrl = `http://127.0.0.1:${installation.ports.storeOps}/metrics`;
    // What each needs for its first file is not what it needs for each.
    const small = await makeFile(stack.dir, 64);
    await putBare(stack, small, 64 * MIB);
    await sendFile(installation.storeUrl, small, () => {});
    await emptyBucket(stack);
    const pairs: Pair[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const pair = await measurePair(round % 2 === 0, {
        bare: () => putBare(stack, file, sizeMiB * MIB),
        store: () => sendFile(installation.storeUrl, file, () => {}),
        metricsUrl,
        clean: () => emptyBucket(stack),
      });
      pairs.push(pair);
      const speed = (s: number): string => `${(sizeMiB / s).toFixed(0)} MiB/s`;
      const speeds = `bare minio ${speed(pair.bareSeconds)}, store ${speed(pair.storeSeconds)}`;
      console.log(`pair ${round}: ${speeds}, share ${shareOf(pair).toFixed(2)}`);
    }
    return judge(pairs);
  } finally {
    await installation.stop();
  }
}

/** One file by either way, right after each other: what else the machine does meets both. */
interface Pair {
  readonly bareSeconds: number;
  readonly storeSeconds: number;
  readonly curve: MemoryCurve;
}

interface Ways {
  bare(): Promise<unknown>;
  store(): Promise<unknown>;
  clean(): Promise<void>;
  readonly metricsUrl: string;
}

async function measurePair(isStoreFirst: boolean, ways: Ways): Promise<Pair> {
  const bare = async (): Promise<number> => {
    const seconds = await timed(() => ways.bare());
    await ways.clean();
    return seconds;
  };
  const before = isStoreFirst ? undefined : await bare();
  const watch = watchMemory(ways.metricsUrl);
  const storeSeconds = await timed(() => ways.store());
  const curve = await watch.end();
  await ways.clean();
  return { bareSeconds: before ?? (await bare()), storeSeconds, curve };
}

const shareOf = ({ bareSeconds, storeSeconds }: Pair): number => bareSeconds / storeSeconds;

function judge(pairs: readonly Pair[]): number {
  const share = median(pairs.map(shareOf));
  const curves = pairs.map(({ curve }) => curve);
  for (const curve of curves) console.log(curveOf(curve));
  const growth = Math.max(...curves.map(({ growthMiB }) => growthMiB));
  const results = [
    {
      name: `share of bare minio at least ${TARGETS.share}`,
      value: share,
      isMet: share >= TARGETS.share,
    },
    {
      name: `growth below ${TARGETS.growthMiB} MiB`,
      value: growth,
      isMet: growth < TARGETS.growthMiB,
    },
  ];
  for (const { name, value, isMet } of results)
    console.log(`${isMet ? 'met   ' : 'MISSED'} ${name}: ${value.toFixed(2)}`);
  return results.every(({ isMet }) => isMet) ? 0 : 1;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return (performance.now() - began) / 1000;
}

/** Bytes that no compression makes less. */
async function makeFile(dir: string, sizeMiB: number): Promise<string> {
  await mkdir(dir, { recursive: true });
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize < sizeMiB * MIB * 2)
    throw new Error(`cannot make a file of ${sizeMiB} MiB in ${dir}: the disk is full`);
  const file = join(dir, `upload-${sizeMiB}.bin`);
  const block = randomBytes(MIB);
  function* blocks(): Generator<Buffer> {
    for (let no = 0; no < sizeMiB; no += 1) {
      const copy = Buffer.from(block);
      copy.writeUInt32LE(no);
      yield copy;
    }
  }
  await pipeline(Readable.from(blocks()), createWriteStream(file));
  return file;
}

const setting = (stack: Stack, name: string): string => stack.env[name] ?? '';

/** As anybody would with the client library. */
async function putBare(stack: Stack, file: string, sizeBytes: number): Promise<void> {
  const endpoint = new URL(setting(stack, 'S3_ENDPOINT'));
  const useSSL = endpoint.protocol === 'https:';
  const client = new Client({
    endPoint: endpoint.hostname,
    port: Number(endpoint.port || (useSSL ? 443 : 80)),
    useSSL,
    accessKey: setting(stack, 'S3_ACCESS_KEY'),
    secretKey: setting(stack, 'S3_SECRET_KEY'),
    region: setting(stack, 'S3_REGION') || 'us-east-1',
  });
  await client.putObject(
    setting(stack, 'S3_BUCKET'),
    'bench/bare',
    createReadStream(file),
    sizeBytes,
  );
}

/** Only what this bench put there. */
async function emptyBucket(stack: Stack): Promise<void> {
  const blobs = new S3BlobStore({
    endpoint: setting(stack, 'S3_ENDPOINT'),
    accessKey: setting(stack, 'S3_ACCESS_KEY'),
    secretKey: setting(stack, 'S3_SECRET_KEY'),
    bucket: setting(stack, 'S3_BUCKET'),
    region: setting(stack, 'S3_REGION'),
  });
  for (const prefix of ['bench/', 'uploads/'])
    for await (const { key } of blobs.list(prefix)) await blobs.delete(key);
}
