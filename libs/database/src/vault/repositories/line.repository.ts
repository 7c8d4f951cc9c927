import { In } from 'typeorm';
import type { Tx } from '../../database.js';
import { VaultDevice, VaultListedSerial, VaultPending } from '../entities/index.js';

/** What is kept of these serials of a model: registered, listed, waiting for an approval. */
export interface LineRows {
  readonly devices: readonly VaultDevice[];
  readonly listed: readonly VaultListedSerial[];
  readonly waiting: readonly VaultPending[];
}

export async function findLineRows(
  tx: Tx,
  brandId: string,
  model: string,
  serials: readonly string[],
): Promise<LineRows> {
  const where = { brandId, model, serial: In([...serials]) };
  return {
    devices: await tx.findBy(VaultDevice, where),
    listed: await tx.findBy(VaultListedSerial, where),
    waiting: await tx.findBy(VaultPending, { ...where, state: 'waiting' }),
  };
}
