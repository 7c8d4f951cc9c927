import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { formatId, mintDeviceSession } from '#libs/auth';
import { deviceSessionKey } from '#libs/operations';
import type { AdminStore } from '../../admin/support/admin-store.js';
import { contextOf, sessionHeader } from './refreshing.js';

/** A device of a crowd: no key of its own, only the session that it would have (decisions 23). */
export interface CrowdDevice {
  readonly uid: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Many devices of one brand, each with the same snaps in revision 1. */
export class Crowd {
  private constructor(
    readonly devices: readonly CrowdDevice[],
    readonly snapIds: readonly string[],
  ) {}

  /** `secret`: of the installation, which every session is sealed with. */
  static async gather(
    store: AdminStore,
    secret: Buffer,
    count: { devices: number; snaps: number },
    tags: Record<string, string> = {},
  ): Promise<Crowd> {
    const snapIds: string[] = [];
    for (let no = 1; no <= count.snaps; no += 1) snapIds.push(await addSnap(store, `crowd-${no}`));
    const uids = await store.addDevices(count.devices, tags);
    const { rows } = await store.owner.query<{ id: string }>(
      'SELECT store_id AS id FROM store.devices WHERE uid = $1',
      [uids[0]],
    );
    const storeId = rows[0]?.id ?? '';
    const devices = uids.map((uid) => {
      const identity = {
        deviceUid: uid,
        brandId: store.brand,
        model: 'acme-device-1',
        serial: `serial-${uid}`,
        storeId,
        deviceKeyId: 'key',
      };
      const session = mintDeviceSession(identity, deviceSessionKey({ secret }), new Date());
      return { uid, headers: sessionHeader(session) };
    });
    await store.settled();
    return new Crowd(devices, snapIds);
  }

  /** The body of an automatic refresh of everything. */
  refreshBody(revision = 1): string {
    return JSON.stringify({
      context: this.snapIds.map((id) => ({
        ...contextOf({ id, revision }),
        'refreshed-date': '2026-05-04T08:15:00Z',
      })),
      actions: this.snapIds.map((id) => ({
        action: 'refresh',
        'instance-key': id,
        'snap-id': id,
        channel: 'latest/stable',
        'ignore-validation': false,
      })),
      fields: ['revision'],
    });
  }
}

/** A snap with two revisions of which the second is on stable: rows alone, there are no files behind them. */
export async function addSnap(store: AdminStore, name: string): Promise<string> {
  const id = formatId(randomBytes(32));
  const brand = store.brand;
  await store.owner.query(
    `INSERT INTO store.snaps (id, brand_id, store_id, name, type, is_private)
     SELECT $1, $2, (SELECT id FROM store.brand_stores WHERE brand_id = $2 LIMIT 1), $3, 'app', true`,
    [id, brand, name],
  );
  for (const revision of [1, 2]) {
    const [blob, upload] = [randomUUID(), randomUUID()];
    const sha3 = createHash('sha3-384').update(`${id} ${revision}`).digest('hex');
    await store.owner.query(
      `INSERT INTO store.blobs (id, storage_key, sha3384, sha256, size_bytes, claimed_at)
       VALUES ($1, $2, $3, $4, 5000, app.now())`,
      [blob, `snaps/${blob}`, sha3, createHash('sha256').update(sha3).digest('hex')],
    );
    await store.owner.query(
      `INSERT INTO store.uploads (id, brand_id, snap_id, blob_id, person_id, state, revision)
       VALUES ($1, $2, $3, $4, $5, 'accepted', $6)`,
      [upload, brand, id, blob, randomUUID(), revision],
    );
    await store.owner.query(
      `INSERT INTO store.snap_revisions (snap_id, revision, brand_id, upload_id, blob_id, sha3384, size_bytes, version,
         type, architectures, epoch, confinement, grade, snap_yaml)
       VALUES ($1, $2::int, $3, $4, $5, $6, 5000, $2::int::text, 'app', '{all}', '{"read":[0],"write":[0]}', 'strict', 'stable', $7)`,
      [
        id,
        revision,
        brand,
        upload,
        blob,
        sha3,
        `name: ${name}
version: ${revision}
`,
      ],
    );
  }
  const { rows } = await store.owner.query<{ id: string }>(
    `INSERT INTO store.lanes (brand_id, snap_id, track, risk, last_seq) VALUES ($1, $2, 'latest', 'stable', 2) RETURNING id`,
    [brand, id],
  );
  for (const revision of [1, 2])
    await store.owner.query(
      `INSERT INTO store.lane_events (lane_id, seq, brand_id, snap_id, kind, revision, architectures, rank)
       VALUES ($1, $2::int, $3, $4, 'release', $2::int, '{all}', $2::int)`,
      [rows[0]?.id, revision, brand, id],
    );
  return id;
}
