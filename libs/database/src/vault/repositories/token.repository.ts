import { IsNull } from 'typeorm';
import type { Tx } from '../../database.js';
import { VaultToken } from '../entities/index.js';

/** Whether a token of this name was made that belongs to the installation, ended ones included. */
export const hasInstallationToken = (tx: Tx, name: string): Promise<boolean> =>
  tx.existsBy(VaultToken, { name, brandId: IsNull() });
