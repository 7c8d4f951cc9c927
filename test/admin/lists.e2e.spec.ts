import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Device, Hold, Pin } from '#libs/database';

import { SteeredStore } from './support/steered-store.js';

const HOUR = 3_600_000;

interface Page {
  readonly edges: readonly { readonly node: { readonly key: string | number } }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

let store: SteeredStore;

beforeAll(async () => {
  store = await SteeredStore.start();
});
afterAll(() => store?.stop());
afterEach(() => vi.restoreAllMocks());

describe('nested fields', () => {
  const DOCUMENT = (brand: string) => `
    fleets(brand: "${brand}") { name population }
    rollouts(brand: "${brand}", first: 60) { edges { node { title snap { name lanes { risk } } lane { risk } fleet { name population } waves { no } transitions { seq } } } }
    snaps(brand: "${brand}", first: 500) { edges { node { name revisions { revision } lanes { risk } } } }
    devices(brand: "${brand}", first: 60) { edges { node { uid installed { revision } } } }`;

  it('cost as many statements for 50 rows as for 5: there is no query per row', async () => {
    const count = async (): Promise<number> => {
      const query = vi.spyOn(Client.prototype, 'query');
      const before = query.mock.calls.length;
      await store.planner.ask(DOCUMENT(store.brand.id));
      const statements = query.mock.calls.length - before;
      query.mockRestore();
      return statements;
    };
    await addRows(5);
    await store.settle();
    const few = Math.min(await count(), await count(), await count());
    await addRows(50);
    await store.settle();
    // Timers of the process ask too, now and then: a try without them is the document's own.
    await vi.waitFor(async () => expect(await count()).toBeLessThanOrEqual(few), 30_000);
    const { fleets } = await store.planner.ask<{ fleets: { name: string; population: number }[] }>(
      `fleets(brand: "${store.brand.id}") { name population }`,
    );
    const populations = Object.fromEntries(fleets.map((fleet) => [fleet.name, fleet.population]));
    expect(populations).toMatchObject({ 'asks 1': 1, 'asks 49': 1, 'lists 2': 1, 'lists 48': 0 });
  });

  it.each(['snaps', 'uploads', 'jobs', 'holds', 'pins', 'devices', 'rollouts'])(
    'the list of %s is read page by page, each row once and in one order',
    async (list) => {
      await addRows(10);
      const { brand } = store;
      const key = list === 'devices' ? 'uid' : 'id';
      if (list === 'uploads') await store.released('paged', [1, 2, 3, 4, 5, 6, 7]);
      const page = async (first: number, after: string | null): Promise<Page> => {
        const answer = await store.planner.ask<Record<string, Page>>(
          `${list}(brand: "${brand.id}", first: ${first}, after: ${JSON.stringify(after)}) {
            edges { node { key: ${key} } } pageInfo { hasNextPage endCursor } }`,
        );
        return answer[list] ?? Promise.reject(new Error('no list'));
      };
      const all = await page(500, null);
      expect(all.pageInfo.hasNextPage).toBe(false);
      expect(all.edges.length).toBeGreaterThan(4);
      const found: Page['edges'][number][] = [];
      for (let after: string | null = null, more = true; more;) {
        const { edges, pageInfo }: Page = await page(3, after);
        found.push(...edges);
        [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
      }
      expect(found).toEqual(all.edges);
      await expect(page(3, 'bm9uc2Vuc2Uh')).rejects.toThrow(/cursor/);
    },
  );

  /** So many fleets of either kind, snaps, uploads, devices, rollouts, holds and pins. */
  async function addRows(upTo: number): Promise<void> {
    const { db } = store.wire.resources;
    const { id, storeId } = store.brand;
    const { personId } = store.planner;
    await db.asBrand(id, async (tx) => {
      const range = [id, upTo];
      await tx.query(
        `INSERT INTO store.devices (brand_id, model, serial, device_key_id, tags, serial_authority_id)
         SELECT $1, 'row', 'row-' || n, 'k', jsonb_build_object('row', n::text), $1 FROM generate_series(1, $2) n
         ON CONFLICT DO NOTHING`,
        range,
      );
      await tx.query(
        `INSERT INTO store.fleets (brand_id, name, priority, predicate)
         SELECT $1, 'asks ' || n, 1000 + n, jsonb_build_object('fact', 'tag:row', 'equals', n::text)
         FROM generate_series(1, $2) n UNION ALL
         SELECT $1, 'lists ' || n, 2000 + n, NULL FROM generate_series(1, $2) n ON CONFLICT DO NOTHING`,
        range,
      );
      await tx.query(
        `INSERT INTO store.fleet_members (fleet_id, device_uid, brand_id)
         SELECT f.id, d.uid, $1 FROM store.fleets f JOIN store.devices d ON d.serial = 'row-2' AND d.brand_id = $1
         WHERE f.name = 'lists 2' AND f.brand_id = $1 ON CONFLICT DO NOTHING`,
        [id],
      );
      await tx.query(
        `INSERT INTO store.snaps (id, brand_id, store_id, name, type)
         SELECT 'row' || n, $1, $3, 'row-' || n, 'app' FROM generate_series(1, $2) n ON CONFLICT DO NOTHING`,
        [...range, storeId],
      );
      const devices = await tx.findBy(Device, { brandId: id, model: 'row' });
      const row = { brandId: id, snapId: 'row1', reason: 'row', personId };
      const day = { from: new Date(), until: new Date(Date.now() + 24 * HOUR) };
      const brakes = devices.map(({ uid: deviceUid }) => ({ ...row, deviceUid }));
      await tx.delete(Hold, { reason: 'row' });
      await tx.delete(Pin, { reason: 'row' });
      await tx.insert(
        Hold,
        brakes.map((one) => ({ ...one, ...day, scope: 'device' as const })),
      );
      await tx.insert(
        Pin,
        brakes.map((one) => ({ ...one, revision: 1 })),
      );
      await tx.query(
        `INSERT INTO store.lanes (brand_id, snap_id, track, risk)
         SELECT $1, 'row' || n, 'latest', 'stable' FROM generate_series(1, $2) n ON CONFLICT DO NOTHING`,
        range,
      );
      await tx.query(
        `INSERT INTO store.rollouts (brand_id, snap_id, lane_id, fleet_id, name, salt, plan, plan_hash, author_id, last_editor_id)
         SELECT $1, l.snap_id, l.id, f.id, 'row', decode(repeat('00', 16), 'hex'), '{}', '', $2, $2
         FROM store.lanes l JOIN store.fleets f ON f.name = 'asks ' || substr(l.snap_id, 4) AND f.brand_id = $1
         WHERE l.snap_id LIKE 'row%' AND NOT EXISTS (SELECT 1 FROM store.rollouts r WHERE r.lane_id = l.id)`,
        [id, personId],
      );
    });
  }
});
