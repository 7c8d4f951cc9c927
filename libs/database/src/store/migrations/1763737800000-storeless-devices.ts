import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A brand whose devices name no store shows them all that is public (S16), so that its policy holds it. The first such
 * device makes the policy anew; the others change nothing.
 */
export class StorelessDevices1763737800000 implements MigrationInterface {
  name = 'StorelessDevices1763737800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(
      `CREATE INDEX "IDX_c158bad539234adaa8a2ef931e" ON "store"."devices"  ("brand_id") WHERE "store_id" IS NULL`,
    );
    await runner.query(`
      CREATE FUNCTION store.raise_for_storeless() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE raised bigint;
      BEGIN
        IF NOT EXISTS (SELECT 1 FROM store.devices
                       WHERE brand_id = NEW.brand_id AND store_id IS NULL AND uid <> NEW.uid) THEN
          INSERT INTO store.policy_versions AS known (brand_id, version) VALUES (NEW.brand_id, 1)
            ON CONFLICT (brand_id) DO UPDATE SET version = known.version + 1 RETURNING known.version INTO raised;
          INSERT INTO store.outbox (job, payload)
            VALUES ('compile-policy', jsonb_build_object('brandId', NEW.brand_id, 'version', raised));
        END IF;
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER policy_storeless_insert AFTER INSERT ON store.devices
        FOR EACH ROW WHEN (NEW.store_id IS NULL) EXECUTE FUNCTION store.raise_for_storeless()`);
    await runner.query(`
      CREATE TRIGGER policy_storeless_update AFTER UPDATE OF store_id ON store.devices
        FOR EACH ROW WHEN (NEW.store_id IS NULL AND OLD.store_id IS NOT NULL) EXECUTE FUNCTION store.raise_for_storeless()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER policy_storeless_update ON store.devices`);
    await runner.query(`DROP TRIGGER policy_storeless_insert ON store.devices`);
    await runner.query(`DROP FUNCTION store.raise_for_storeless()`);
    await runner.query(`DROP INDEX "store"."IDX_c158bad539234adaa8a2ef931e"`);
  }
}
