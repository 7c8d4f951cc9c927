import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { Client } from 'minio';
import { startCeph } from './ceph.js';
import { installCeph } from './ceph-packages.js';
import { StackError } from './errors.js';
import { freePort } from './free-port.js';
import type { Watchdog } from './watchdog.js';

export interface S3Server {
  readonly title: string;
  /** S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY, S3_BUCKET (made), S3_REGION. */
  readonly env: Readonly<
    Record<'S3_ENDPOINT' | 'S3_ACCESS_KEY' | 'S3_SECRET_KEY' | 'S3_BUCKET' | 'S3_REGION', string>
  >;
  stop(): Promise<void>;
}

export interface S3Options {
  /** Removed and made anew: objects live in memory only. */
  readonly dir: string;
  readonly watchdog: Watchdog;
  readonly log?: (line: string) => void;
}

/**
 * A real S3 server for tests and demonstrations: Ceph RGW from Debian's packages, on loopback (decisions 31). The packages
 * are installed when we are root and BRANDSTORE_INSTALL=1 or CI is set.
 * @throws StackError `not-installed`, with the line that installs them
 */
export async function startS3({ dir, watchdog, log = () => {} }: S3Options): Promise<S3Server> {
  await installCeph(log);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const accessKey = `test${randomBytes(6).toString('hex')}`;
  const secretKey = randomBytes(20).toString('hex');
  const port = await freePort();
  const ceph = await startCeph({ dir, port, accessKey, secretKey, watchdog });
  const bucket = 'brandstore';
  try {
    await makeBucket(port, accessKey, secretKey, bucket);
  } catch (error) {
    await ceph.stop();
    const why = error instanceof Error ? error.message : String(error);
    throw new StackError('not-ready', `cannot make a bucket on Ceph RGW: ${why}`, { cause: error });
  }
  return {
    title: 'Ceph RGW in memory',
    env: {
      S3_ENDPOINT: `http://127.0.0.1:${port}`,
      S3_ACCESS_KEY: accessKey,
      S3_SECRET_KEY: secretKey,
      S3_BUCKET: bucket,
      S3_REGION: 'us-east-1',
    },
    stop: ceph.stop,
  };
}

async function makeBucket(
  port: number,
  accessKey: string,
  secretKey: string,
  bucket: string,
): Promise<void> {
  const client = new Client({
    endPoint: '127.0.0.1',
    port,
    useSSL: false,
    accessKey,
    secretKey,
    region: 'us-east-1',
    pathStyle: true,
  });
  for (const end = Date.now() + 60_000; ;) {
    try {
      if (!(await client.bucketExists(bucket))) await client.makeBucket(bucket, 'us-east-1');
      return;
    } catch (error) {
      if (Date.now() >= end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
