import { readFile } from 'node:fs/promises';
import type { DeviceIdentity } from '#libs/auth';
import { Database, Device } from '#libs/database';
import { deviceSessionKey } from '#libs/operations';
import type { Installation } from '../installation/index.js';
import { uuidOf } from './seeded.js';
import { SimulatedDevice, type InstalledRevision } from './simulated-device.js';

/** One kind of device: its tags are what an operator has set. */
export interface DeviceKind {
  readonly count: number;
  readonly tags: Readonly<Record<string, string>>;
  /** IANA name of a zone without summer time, and its distance from UTC. */
  readonly timezone: string;
  readonly zoneHours: number;
  /** `amd64`, if not said. */
  readonly architecture?: string;
}

export interface DevicesOrder {
  readonly installation: Installation;
  /** The same seed makes the same devices. */
  readonly seed: string;
  readonly brandId: string;
  readonly storeId: string;
  readonly model: string;
  readonly installed: InstalledRevision;
  readonly kinds: readonly DeviceKind[];
}

const BATCH = 500;

/**
 * Devices of a brand as registration and a first session would have left them in the database, and sessions minted with the
 * installation's own secret: a thousand devices need no RSA keys (decisions 23). For simulations, as the database's owner.
 */
export async function makeDevices(order: DevicesOrder): Promise<SimulatedDevice[]> {
  const { installation, seed, brandId, storeId, model } = order;
  const secret = Buffer.from((await readFile(installation.secrets.store, 'utf8')).trim(), 'base64');
  const key = deviceSessionKey({ secret });
  const rows: Partial<Device>[] = [];
  const devices = order.kinds.flatMap(
    ({ count, tags, timezone, zoneHours, architecture = 'amd64' }, kind) =>
      Array.from({ length: count }, (_, index) => {
        const serial = `${seed}-${kind}-${String(index + 1).padStart(5, '0')}`;
        const deviceUid = uuidOf(seed, 'device', serial);
        const identity: DeviceIdentity = {
          ...{ deviceUid, brandId, model, serial, storeId },
          deviceKeyId: 'simulated',
        };
        rows.push({
          ...{ uid: deviceUid, brandId, model, serial, storeId, tags: { ...tags }, timezone },
          deviceKeyId: identity.deviceKeyId,
          serialAuthorityId: brandId,
          architecture,
        });
        return new SimulatedDevice(
          ...([installation.storeUrl, identity, zoneHours, key, order.installed] as const),
          architecture,
        );
      }),
  );
  const url = installation.databaseUrls.owner;
  const db = await Database.open({ url, room: 'store', applicationName: 'simulation' });
  try {
    for (let start = 0; start < rows.length; start += BATCH)
      await db.asSystem((tx) => tx.insert(Device, rows.slice(start, start + BATCH)));
  } finally {
    await db.close();
  }
  return devices;
}
