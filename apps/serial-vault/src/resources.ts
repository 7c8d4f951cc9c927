import type { Database } from '#libs/database';
import type { Logger, makeAlarm } from '#libs/runtime';
import type { VaultMetrics } from './metrics.js';
import type { OidcSettings } from './oidc/oidc-settings.js';
import type { SigningKeys } from './signing-keys.js';
import type { Trust } from './trust/trust.js';

type Alarm = ReturnType<typeof makeAlarm>;

/** What the vault's operations stand on; made once by the process. */
export interface VaultResources {
  readonly db: Database;
  readonly keys: SigningKeys;
  readonly trust: Trust;
  readonly settings: VaultSettings;
  readonly log: Logger;
  /** Tells an operator what they must look at. */
  readonly alarm: Alarm;
  readonly metrics: VaultMetrics;
}

export interface VaultSettings {
  /** Base of our own URL, as gadgets name it; without a trailing slash. */
  readonly publicUrl: string;
  /** Where revocations are told; null: to nobody. */
  readonly storeUrl: string | null;
  /** How old the knowledge of models may be while the store answers. */
  readonly modelsSeconds: number;
  /** Seals what people's authenticator apps know; never in the database. */
  readonly secret: Buffer;
  /** Key of the HMAC under which API keys are stored; never in the database (serial-vault.md 7). */
  readonly pepper: Buffer;
  /** serial-vault.md 8. */
  readonly requestIdSeconds: number;
  /** Most request-ids outstanding per API key. */
  readonly requestIdsPerKey: number;
  /** Largest registration; serial-vault.md 2.4. */
  readonly maxBodyBytes: number;
  /** Longest wait for one signature: the device gives up after 30 s (serial-vault.md 16). */
  readonly signMs: number;
  readonly rate: RateSettings;
  /** Null: people log in with passwords only. */
  readonly oidc: OidcSettings | null;
}

/** serial-vault.md 16. */
export interface RateSettings {
  /** Requests per second and minute of one address. */
  readonly perSecond: number;
  readonly perMinute: number;
  /** Addresses and CIDR ranges that are never limited or blocked: factories, and the store that forwards. */
  readonly exempt: readonly string[];
}

/** Injection token of `VaultResources`. */
export const VAULT_RESOURCES = 'VAULT_RESOURCES';
