import { In, MoreThan, type FindOptionsWhere, type ObjectLiteral } from 'typeorm';
import {
  Approval,
  Device,
  DeviceFact,
  Fleet,
  Lane,
  Person,
  RolloutTransition,
  Snap,
  SnapRevision,
  Upload,
  Wave,
  type Tx,
} from '#libs/database';
import type { Resources } from '../resources.js';

export interface Page<T> {
  readonly rows: readonly T[];
  readonly hasMore: boolean;
}

export interface DeviceFilter {
  readonly model?: string | undefined;
  readonly serial?: string | undefined;
  readonly tag?: { readonly name: string; readonly value: string } | undefined;
}

/** A row of the outbox, as far as it concerns a brand. */
export interface JobRow {
  readonly id: number;
  readonly job: string;
  readonly payload: unknown;
  readonly dueAt: Date;
  readonly deliveredAt: Date | null;
}

/** How much there is. */
export interface Figures {
  readonly snaps: number;
  readonly revisions: number;
  readonly devices: number;
  readonly blobs: number;
  readonly blobBytes: number;
  readonly jobsAsked: number;
  readonly jobsWaiting: number;
}

type RowsOf<T> = ReadonlyMap<string, readonly T[]>;

/** Reads a brand's rows for showing them: one query per question, however many rows ask it. */
export class BrandReader {
  constructor(private readonly resources: Resources) {}

  /** By name; `after`: the name of the last one of the page before; `seen`: only those of these snaps. */
  snaps(
    brandId: string,
    limit: number,
    after: string | null,
    seen: readonly string[] | null = null,
  ): Promise<Page<Snap>> {
    const where = {
      brandId,
      ...(after !== null && { name: MoreThan(after) }),
      ...(seen !== null && { id: In([...seen]) }),
    };
    return this.run(brandId, async (tx) =>
      page(await tx.find(Snap, { where, order: { name: 'ASC' }, take: limit + 1 }), limit),
    );
  }

  snapByName(brandId: string, name: string): Promise<Snap | null> {
    return this.run(brandId, (tx) => tx.findOneBy(Snap, { brandId, name }));
  }

  /** Newest first; `after`: id of the last one of the page before; `seen`: only those of these snaps. */
  uploads(
    brandId: string,
    {
      snapId,
      state,
      seen,
    }: {
      readonly snapId?: string | undefined;
      readonly state?: string | undefined;
      readonly seen: readonly string[] | null;
    },
    limit: number,
    after: string | null,
  ): Promise<Page<Upload>> {
    return this.run(brandId, async (tx) => {
      const query = tx
        .createQueryBuilder(Upload, 'upload')
        .where('upload.brand_id = :brandId', { brandId })
        .orderBy('upload.created_at', 'DESC')
        .addOrderBy('upload.id', 'DESC')
        .take(limit + 1);
      if (snapId !== undefined) query.andWhere('upload.snap_id = :snapId', { snapId });
      if (state !== undefined) query.andWhere('upload.state = :state', { state });
      if (seen !== null) query.andWhere('upload.snap_id = ANY(:seen)', { seen: [...seen] });
      if (after !== null)
        query.andWhere(
          '(upload.created_at, upload.id) < (SELECT u.created_at, u.id FROM store.uploads u WHERE u.id = :after)',
          { after },
        );
      return page(await query.getMany(), limit);
    });
  }

  device(brandId: string, uid: string): Promise<Device | null> {
    return this.run(brandId, (tx) => tx.findOneBy(Device, { brandId, uid }));
  }

  devices(
    brandId: string,
    filter: DeviceFilter,
    limit: number,
    after: string | null,
  ): Promise<Page<Device>> {
    return this.run(brandId, async (tx) => {
      const query = tx
        .createQueryBuilder(Device, 'device')
        .where('device.brand_id = :brandId', { brandId })
        .orderBy('device.uid')
        .take(limit + 1);
      if (after !== null) query.andWhere('device.uid > :after', { after });
      if (filter.model !== undefined) query.andWhere('device.model = :model', filter);
      if (filter.serial !== undefined) query.andWhere('device.serial = :serial', filter);
      if (filter.tag !== undefined)
        query.andWhere('device.tags ->> :name = :value', { ...filter.tag });
      return page(await query.getMany(), limit);
    });
  }

  /** The jobs that name the brand, newest first; `after`: number of the last one of the page before. */
  jobs(
    brandId: string,
    onlyWaiting: boolean,
    limit: number,
    after: number | null,
  ): Promise<Page<JobRow>> {
    return this.run(brandId, async (tx) => {
      const rows = await tx.query<JobRow[]>(
        `SELECT id::int, job, payload, due_at AS "dueAt", delivered_at AS "deliveredAt" FROM store.outbox
         WHERE payload ->> 'brandId' = $1 AND (delivered_at IS NULL OR NOT $2) AND ($3::bigint IS NULL OR id < $3)
         ORDER BY id DESC LIMIT $4`,
        [brandId, onlyWaiting, after, limit + 1],
      );
      return page(rows, limit);
    });
  }

  async figures(brandId: string): Promise<Figures> {
    const rows = await this.run(brandId, (tx) =>
      tx.query<Figures[]>(
        `SELECT (SELECT count(*)::int FROM store.snaps WHERE brand_id = $1) AS snaps,
           (SELECT count(*)::int FROM store.snap_revisions WHERE brand_id = $1) AS revisions,
           (SELECT count(*)::int FROM store.devices WHERE brand_id = $1) AS devices,
           (SELECT count(*)::int FROM store.outbox WHERE payload ->> 'brandId' = $1) AS "jobsAsked",
           (SELECT count(*)::int FROM store.outbox WHERE payload ->> 'brandId' = $1 AND delivered_at IS NULL) AS "jobsWaiting",
           b.* FROM (SELECT count(*)::int AS blobs, coalesce(sum(b.size_bytes), 0)::float8 AS "blobBytes"
             FROM store.blobs b JOIN store.uploads u ON u.blob_id = b.id WHERE u.brand_id = $1) AS b`,
        [brandId],
      ),
    );
    const [figures] = rows;
    if (figures === undefined) throw new Error('internal error: an aggregate gave no row');
    return figures;
  }

  snapsById(brandId: string, ids: readonly string[]): Promise<RowsOf<Snap>> {
    return this.rowsBy(brandId, Snap, { brandId, id: In([...ids]) }, (row) => row.id);
  }

  lanesById(brandId: string, ids: readonly string[]): Promise<RowsOf<Lane>> {
    return this.rowsBy(brandId, Lane, { brandId, id: In([...ids]) }, (row) => row.id);
  }

  fleetsById(brandId: string, ids: readonly string[]): Promise<RowsOf<Fleet>> {
    return this.rowsBy(brandId, Fleet, { brandId, id: In([...ids]) }, (row) => row.id);
  }

  peopleById(brandId: string, ids: readonly string[]): Promise<RowsOf<Person>> {
    return this.rowsBy(brandId, Person, { id: In([...ids]) }, (row) => row.id);
  }

  revisionsBySnap(brandId: string, snapIds: readonly string[]): Promise<RowsOf<SnapRevision>> {
    const where = { snapId: In([...snapIds]), revision: MoreThan(0) };
    return this.rowsBy(brandId, SnapRevision, where, (row) => row.snapId);
  }

  lanesBySnap(brandId: string, snapIds: readonly string[]): Promise<RowsOf<Lane>> {
    return this.rowsBy(brandId, Lane, { snapId: In([...snapIds]) }, (row) => row.snapId);
  }

  wavesByRollout(brandId: string, ids: readonly string[]): Promise<RowsOf<Wave>> {
    return this.rowsBy(brandId, Wave, { rolloutId: In([...ids]) }, (row) => row.rolloutId);
  }

  transitionsByRollout(
    brandId: string,
    ids: readonly string[],
  ): Promise<RowsOf<RolloutTransition>> {
    const where = { rolloutId: In([...ids]) };
    return this.rowsBy(brandId, RolloutTransition, where, (row) => row.rolloutId);
  }

  approvalsByRollout(brandId: string, ids: readonly string[]): Promise<RowsOf<Approval>> {
    const where = { rolloutId: In([...ids]) };
    return this.rowsBy(brandId, Approval, where, (row) => row.rolloutId);
  }

  factsByDevice(brandId: string, uids: readonly string[]): Promise<RowsOf<DeviceFact>> {
    const where = { deviceUid: In([...uids]) };
    return this.rowsBy(brandId, DeviceFact, where, (row) => row.deviceUid);
  }

  /** In the order of the primary key, which for revisions, waves and transitions is their number. */
  private rowsBy<T extends ObjectLiteral>(
    brandId: string,
    table: new () => T,
    where: FindOptionsWhere<T>,
    keyOf: (row: T) => string,
  ): Promise<RowsOf<T>> {
    return this.run(brandId, async (tx) => {
      const keys = tx.connection.getMetadata(table).primaryColumns;
      const query = tx.createQueryBuilder(table, 'row').where(where);
      for (const { propertyName } of keys) query.addOrderBy(`row.${propertyName}`);
      const rows = new Map<string, T[]>();
      for (const row of await query.getMany()) {
        const group = rows.get(keyOf(row)) ?? [];
        group.push(row);
        rows.set(keyOf(row), group);
      }
      return rows;
    });
  }

  private run<T>(brandId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.resources.db.asBrand(brandId, work);
  }
}

const page = <T>(rows: T[], limit: number): Page<T> => ({
  rows: rows.slice(0, limit),
  hasMore: rows.length > limit,
});
