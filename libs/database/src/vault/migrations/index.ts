import type { MigrationInterface } from 'typeorm';
import { VaultFirst1763722800000 } from './1763722800000-first.js';
import { Registry1763739000000 } from './1763739000000-registry.js';
import { Orders1763831000000 } from './1763831000000-orders.js';
import { Roles1764100000000 } from './1764100000000-roles.js';
import { Home1764100000300 } from './1764100000300-home.js';
import { Logins1765100000000 } from './1765100000000-logins.js';
import { Oidc1765200000000 } from './1765200000000-oidc.js';
import { FormerVault1765300000000 } from './1765300000000-former-vault.js';
import { VaultDeviceMoves1764100000200 } from './1764100000200-device-moves.js';

/** In the order in which they run. */
export const vaultMigrations: (new () => MigrationInterface)[] = [
  VaultFirst1763722800000,
  Registry1763739000000,
  Orders1763831000000,
  Roles1764100000000,
  VaultDeviceMoves1764100000200,
  Home1764100000300,
  Logins1765100000000,
  Oidc1765200000000,
  FormerVault1765300000000,
];
