import { readFileSync } from 'node:fs';
import { Database, type Alarm } from '#libs/database';
import { createBlobStore, type BlobSettings } from '#libs/storage';
import { openStoreKeys } from './installation/index.js';
import type { Resources } from './resources.js';
import { parseNetworks } from './webhooks/index.js';

/** The values of the environment that store-api and worker share (ARCHITECTURE.md). */
export interface ResourceSettings extends BlobSettings {
  readonly DATABASE_URL: string;
  readonly PUBLIC_URL: string;
  readonly SECRET_FILE: string;
  readonly MASTER_KEY_FILE: string;
  readonly VAULT_URL?: string | undefined;
  readonly DOWNLOADS?: 'redirect' | 'stream';
  /** Worker: `10.1.0.0/16, …`. */
  readonly WEBHOOK_NETWORKS?: string | undefined;
  readonly SHED_DELAY_MS?: number | undefined;
  readonly FLUSH_MS?: number | undefined;
  /** Worker: path of the program. */
  readonly XDELTA3?: string | undefined;
}

export interface OpenResourcesOptions {
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly poolSize?: number;
  /** Told when the signer process is in trouble. */
  readonly onTrouble: (error: Error) => void;
  /** Told what an operator must know. */
  readonly alarm: Alarm;
  /** Told of each thing opened, in order; to be closed in reverse. */
  readonly opened: (what: string, close: () => Promise<void>) => void;
}

/** Opens what a process of the store works with: database, signer, blobs. */
export async function openResources(
  settings: ResourceSettings,
  { name, poolSize, onTrouble, alarm, opened }: OpenResourcesOptions,
): Promise<Resources> {
  const db = await Database.open({
    url: settings.DATABASE_URL,
    room: 'store',
    applicationName: name,
    alarm,
    ...(poolSize && { poolSize }),
  });
  opened('database', () => db.close());
  const keys = await openStoreKeys({ db, masterKeyFile: settings.MASTER_KEY_FILE, onTrouble });
  opened('signer', () => keys.close());
  return {
    db,
    keys,
    alarm,
    blobs: await createBlobStore(settings, settings.PUBLIC_URL),
    settings: {
      publicUrl: settings.PUBLIC_URL,
      downloads: settings.DOWNLOADS ?? 'redirect',
      secret: Buffer.from(readFileSync(settings.SECRET_FILE, 'utf8').trim(), 'base64'),
      ...(settings.SHED_DELAY_MS !== undefined && { shedDelayMs: settings.SHED_DELAY_MS }),
      ...(settings.FLUSH_MS !== undefined && { flushMs: settings.FLUSH_MS }),
      ...(settings.WEBHOOK_NETWORKS && {
        webhookNetworks: parseNetworks(settings.WEBHOOK_NETWORKS),
      }),
      ...(settings.XDELTA3 && { xdelta3: settings.XDELTA3 }),
      ...(settings.VAULT_URL && { vaultUrl: settings.VAULT_URL }),
      ...(settings.BLOBS_SECRET && !settings.S3_ENDPOINT && { blobsSecret: settings.BLOBS_SECRET }),
    },
  };
}
