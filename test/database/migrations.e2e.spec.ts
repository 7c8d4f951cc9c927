import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  Account,
  AuditRow,
  BrandStore,
  Database,
  type DatabaseUrls,
  drift,
  dropDatabase,
  Hold,
  migrate,
  migrateDown,
  provision,
  recordAudit,
  shiftClock,
  verifyAudit,
} from '#libs/database';

const ACME = 'A'.repeat(32);
const OTHER = 'B'.repeat(32);

describe('the database', () => {
  const database = `migrations_${randomBytes(4).toString('hex')}`;
  let urls: DatabaseUrls;
  let db: Database;

  beforeAll(async () => {
    urls = await provision({
      adminUrl: inject('stackEnv').DATABASE_URL ?? '',
      database,
      secret: 'test',
    });
    await migrate(urls.owner);
    await migrateDown(urls.owner);
    await migrate(urls.owner);
    db = await Database.open({ url: urls.store, room: 'store', applicationName: 'test' });
    await db.asSystem(async (tx) => {
      for (const id of [ACME, OTHER]) {
        await tx.insert(Account, {
          id,
          username: `user-${id.charAt(0)}`,
          displayName: id,
          isBrand: true,
        });
        await tx.insert(BrandStore, { id: `store-${id.charAt(0)}`, brandId: id, name: 'main' });
      }
    });
  });

  afterAll(async () => {
    await db?.close();
    await dropDatabase(inject('stackEnv').DATABASE_URL ?? '', database);
  });

  it('matches the entities after up, down and up', async () => {
    expect(await drift(urls.owner, 'store')).toEqual([]);
    expect(await drift(urls.owner, 'vault')).toEqual([]);
  });

  it('U104 shows a service nothing without a brand, and only the brand with one', async () => {
    const seen = await db.asBrand(ACME, (tx) => tx.find(BrandStore));
    expect(seen.map(({ brandId }) => brandId)).toEqual([ACME]);
    const none = await db.asBrand('', (tx) =>
      tx.query<unknown[]>('SELECT * FROM store.brand_stores'),
    );
    expect(none).toEqual([]);
    await expect(
      db.asBrand(ACME, (tx) => tx.insert(BrandStore, { id: 'stolen', brandId: OTHER, name: 'x' })),
    ).rejects.toThrow(/row-level security/);
    // Every table that knows brands, not these alone.
    const open = await db.asSystem((tx) =>
      tx.query<unknown[]>(
        `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'brand_id'
         WHERE n.nspname IN ('store', 'vault') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND NOT c.relrowsecurity`,
      ),
    );
    expect(open).toEqual([]);
    const policies = await db.asSystem((tx) =>
      tx.query<{ name: string; reads: string; writes: string }[]>(
        `SELECT schemaname || '.' || tablename || '.' || policyname AS name, qual AS reads, with_check AS writes FROM pg_policies`,
      ),
    );
    // Policies of one table are alternatives: each must ask for the brand by itself.
    const own = /^\(?(\(brand_id IS NULL\) OR )?app\.sees\(brand_id\)\)?$/;
    const ofTwo = '(app.sees(brand_id) OR app.sees(owner_id))';
    for (const { name, reads, writes } of policies) {
      expect(writes, name).toBe(reads);
      if (name === 'store.licences.brand') expect(reads).toBe(ofTwo);
      else expect(reads, name).toMatch(own);
    }
  });

  it('lets the planner know how many rows a brand sees', async () => {
    const owner = await Database.open({ url: urls.owner, room: 'store', applicationName: 'test' });
    try {
      await owner.asSystem(async (tx) => {
        await tx.query(
          `INSERT INTO store.brand_events (brand_id, seq, kind, subject) SELECT $1, n, 'try', 'x' FROM generate_series(1, 2000) n`,
          [ACME],
        );
        await tx.query('ANALYZE store.brand_events');
      });
    } finally {
      await owner.close();
    }
    const explain = 'EXPLAIN (FORMAT JSON) SELECT * FROM store.brand_events';
    const planned = async (rows: Promise<{ 'QUERY PLAN': [{ Plan: object }] }[]>) =>
      (await rows)[0]?.['QUERY PLAN'][0].Plan;
    const seen = { 'Plan Rows': 1000 };
    expect(await planned(db.asBrand(ACME, (tx) => tx.query(explain)))).toMatchObject(seen);
    expect(await planned(db.asSystem((tx) => tx.query(explain)))).toMatchObject(seen);
  });

  it('keeps the store out of the vault, and the vault out of the store', async () => {
    await expect(db.asSystem((tx) => tx.query('SELECT * FROM vault.migrations'))).rejects.toThrow(
      /permission denied/,
    );
    const vault = await Database.open({ url: urls.vault, room: 'vault', applicationName: 'test' });
    try {
      await expect(
        vault.asSystem((tx) => tx.query('SELECT * FROM store.accounts')),
      ).rejects.toThrow(/permission denied/);
    } finally {
      await vault.close();
    }
  });

  it('lets no service change what is append-only', async () => {
    await db.asSystem((tx) =>
      recordAudit(tx, { brandId: ACME, actor: 'system', action: 'try', subject: 'x' }),
    );
    for (const table of [
      'audit_log',
      'lane_events',
      'rollout_transitions',
      'approvals',
      'snap_revisions',
      'overlay_events',
    ]) {
      await expect(db.asSystem((tx) => tx.query(`DELETE FROM store.${table}`))).rejects.toThrow(
        /permission denied/,
      );
    }
  });

  it('U100 finds a row of the audit chain that was changed behind its back, also with a hash of its own', async () => {
    await db.asSystem((tx) =>
      recordAudit(tx, {
        brandId: OTHER,
        actor: 'a',
        action: 'b',
        subject: 'c',
        detail: { z: 1, a: 2 },
      }),
    );
    await db.asSystem((tx) =>
      recordAudit(tx, { brandId: OTHER, actor: 'a', action: 'd', subject: 'e' }),
    );
    expect(await db.asBrand(OTHER, (tx) => verifyAudit(tx, OTHER))).toBeNull();
    const first = { brandId: OTHER, seq: 1 };
    const row = await db.asBrand(OTHER, (tx) => tx.findOneByOrFail(AuditRow, first));
    const forge = async (change: { reason: string; hash?: string }): Promise<void> => {
      const owner = await Database.open({
        url: urls.owner,
        room: 'store',
        applicationName: 'test',
      });
      try {
        await owner.asSystem((tx) => tx.update(AuditRow, first, change));
      } finally {
        await owner.close();
      }
    };
    await forge({ reason: 'forged' });
    expect(await db.asBrand(OTHER, (tx) => verifyAudit(tx, OTHER))).toBe(1);
    // As the chain would have it, had this been said: then the next row shows it.
    const { prevHash, brandId, seq, at, actor, action, subject } = row;
    const said = [prevHash, brandId, seq, at, actor, action, subject, 'forged', { a: 2, z: 1 }];
    const hash = createHash('sha256').update(JSON.stringify(said)).digest('hex');
    await forge({ reason: 'forged', hash });
    expect(await db.asBrand(OTHER, (tx) => verifyAudit(tx, OTHER))).toBe(2);
  });

  it('raises the policy version and asks for a snapshot when a brand changes what one is made of', async () => {
    const version = async (): Promise<number> => {
      const [row] = await db.asBrand(ACME, (tx) =>
        tx.query<{ version: string }[]>('SELECT version FROM store.policy_versions'),
      );
      return Number(row?.version);
    };
    const before = await version();
    const until = new Date(Date.now() + 60_000);
    await db.asBrand(ACME, (tx) =>
      tx.insert(Hold, {
        brandId: ACME,
        scope: 'brand',
        from: new Date(),
        until,
        reason: 'test',
        personId: '00000000-0000-4000-8000-000000000000',
      }),
    );
    expect(await version()).toBe(before + 1);
    const [job] = await db.asSystem((tx) =>
      tx.query<{ payload: unknown }[]>(
        `SELECT payload FROM store.outbox WHERE job = 'compile-policy' ORDER BY id DESC LIMIT 1`,
      ),
    );
    expect(job?.payload).toEqual({ brandId: ACME, version: before + 1 });
  });

  it('tells all processes of a moved clock', async () => {
    await shiftClock(urls.owner, 3_600_000);
    for (const end = Date.now() + 5_000; db.clock.aheadMs < 3_000_000 && Date.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(db.clock.aheadMs).toBeGreaterThan(3_590_000);
    await shiftClock(urls.owner, 0);
  });
});
