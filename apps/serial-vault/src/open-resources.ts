import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { Database } from '#libs/database';
import type { AppGround } from '#libs/runtime';
import type { vaultConfig } from './config.js';
import { masterKeyPlace } from './master-key-place.js';
import { createVaultMetrics } from './metrics.js';
import { readOidcSettings } from './oidc/oidc-settings.js';
import type { VaultResources, VaultSettings } from './resources.js';
import { SigningKeys } from './signing-keys.js';
import { Trust } from './trust/trust.js';

type Config = z.output<(typeof vaultConfig)['config']>;
export type VaultGround = Pick<
  AppGround<(typeof vaultConfig)['config'], (typeof vaultConfig)['secrets']>,
  'config' | 'secrets' | 'logger' | 'metrics' | 'alarm' | 'shutdown' | 'addCheck'
>;

const SECRET_BYTES = 32;
const REQUEST_IDS_PER_KEY = 10_000;

/** Connects to what the vault needs; each part ends with the process. */
export async function openVaultResources(ground: VaultGround): Promise<VaultResources> {
  const { config, secrets, logger, metrics, shutdown, addCheck } = ground;
  const settings = await readSettings(config, secrets);
  const db = await Database.open({
    url: secrets.DATABASE_URL.reveal(),
    room: 'vault',
    applicationName: 'serial-vault',
    poolSize: 20,
    alarm: ground.alarm,
  });
  shutdown.add('database', () => db.close());
  const keys = await SigningKeys.start(db, masterKeyPlace(secrets), (err) =>
    logger.error({ err }, 'the signer process is in trouble'),
  );
  shutdown.add('signer', () => keys.close());
  addCheck({ name: 'database', check: () => db.ping() });
  if (keys.canSign) addCheck({ name: 'signer', check: () => keys.ping() });
  const resources = { db, keys, settings, trust: new Trust(db), log: logger, alarm: ground.alarm };
  return { ...resources, metrics: createVaultMetrics(metrics) };
}

async function readSettings(
  config: Config,
  secrets: VaultGround['secrets'],
): Promise<VaultSettings> {
  const secret = Buffer.from((await readFile(config.SECRET_FILE, 'utf8')).trim(), 'base64');
  if (secret.length < SECRET_BYTES) {
    throw new Error(
      `cannot use ${config.SECRET_FILE}: it must hold ${SECRET_BYTES} bytes in base64`,
    );
  }
  return {
    publicUrl: config.PUBLIC_URL,
    storeUrl: config.STORE_URL ?? null,
    modelsSeconds: config.MODELS_SECONDS,
    secret,
    pepper: createHmac('sha256', secret).update('api-key pepper').digest(),
    requestIdSeconds: config.REQUEST_ID_SECONDS,
    requestIdsPerKey: REQUEST_IDS_PER_KEY,
    maxBodyBytes: config.MAX_BODY_BYTES,
    signMs: config.SIGN_MS,
    rate: {
      perSecond: config.RATE_PER_SECOND,
      perMinute: config.RATE_PER_MINUTE,
      exempt: config.RATE_EXEMPT,
    },
    oidc: await readOidcSettings(config, secrets),
  };
}
