import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

/** Tables whose every change raises the policy version of their brand. */
const NEW_INPUTS = ['update_settings', 'models'];

const TABLES = [
  `CREATE TABLE "store"."update_settings" ("brand_id" text NOT NULL, "timezone" text NOT NULL DEFAULT 'UTC', "schedule" jsonb, "local_operator_bypass" text NOT NULL DEFAULT 'none', "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "CHK_0591c8fef52fb34c2c625fbabf" CHECK ("local_operator_bypass" IN ('none', 'windows', 'waves')), CONSTRAINT "PK_b59f8a38f2e698016ea7c2d33f6" PRIMARY KEY ("brand_id"))`,
  `ALTER TABLE "store"."update_settings" ADD CONSTRAINT "FK_b59f8a38f2e698016ea7c2d33f6" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."fleets" ADD "timezone" text`,
  `ALTER TABLE "store"."fleets" ADD "schedule" jsonb`,
];

/**
 * Refresh control is written in assertions, which belong to no brand (update-control.md 2.3 step 12): a validation concerns
 * the brand of the snap that is gated, a declaration with `refresh-control` (now or before) possibly every brand. It runs as
 * the owner, because whoever brings the assertion need not see those brands.
 */
const RAISE_BY_ASSERTION = `
  CREATE FUNCTION store.raise_policy_version_by_assertion() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DECLARE raised record;
  BEGIN
    FOR raised IN
      INSERT INTO store.policy_versions AS known (brand_id, version)
        SELECT b.id, 1 FROM store.accounts b WHERE b.is_brand AND (
          EXISTS (SELECT 1 FROM changed c JOIN store.assertions a ON a.type = c.type AND a.primary_key = c.primary_key
                  WHERE c.type = 'snap-declaration'
                    AND position(convert_to(E'\\nrefresh-control:', 'UTF8') IN a.bytes) > 0)
          OR EXISTS (SELECT 1 FROM changed c JOIN store.snaps s ON s.id = split_part(c.primary_key, '/', 3)
                     WHERE c.type = 'validation' AND s.brand_id = b.id))
        ORDER BY b.id
        ON CONFLICT (brand_id) DO UPDATE SET version = known.version + 1
        RETURNING known.brand_id, known.version
    LOOP
      INSERT INTO store.outbox (job, payload)
        VALUES ('compile-policy', jsonb_build_object('brandId', raised.brand_id, 'version', raised.version));
    END LOOP;
    RETURN NULL;
  END $$`;

/** More of what a decision needs: time zones and windows, models, refresh control. */
export class PolicyFeed1763735000000 implements MigrationInterface {
  name = 'PolicyFeed1763735000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of TABLES) await runner.query(statement);
    await runner.query(ownedByBrand(['update_settings']));
    await runner.query(grantOn(['update_settings'], 'SELECT, INSERT, UPDATE, DELETE'));
    for (const table of NEW_INPUTS)
      for (const [verb, rows] of Object.entries({ INSERT: 'NEW', UPDATE: 'NEW', DELETE: 'OLD' }))
        await runner.query(
          `CREATE TRIGGER policy_${verb.toLowerCase()} AFTER ${verb} ON store.${table}
           REFERENCING ${rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION store.raise_policy_version()`,
        );
    await runner.query(RAISE_BY_ASSERTION);
    await runner.query(
      `CREATE TRIGGER policy_insert AFTER INSERT ON store.assertions REFERENCING NEW TABLE AS changed
       FOR EACH STATEMENT EXECUTE FUNCTION store.raise_policy_version_by_assertion()`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER policy_insert ON store.assertions`);
    await runner.query(`DROP FUNCTION store.raise_policy_version_by_assertion()`);
    for (const verb of ['insert', 'update', 'delete'])
      await runner.query(`DROP TRIGGER policy_${verb} ON store.models`);
    await runner.query(`ALTER TABLE "store"."fleets" DROP COLUMN "schedule"`);
    await runner.query(`ALTER TABLE "store"."fleets" DROP COLUMN "timezone"`);
    await runner.query(`DROP TABLE "store"."update_settings"`);
  }
}
