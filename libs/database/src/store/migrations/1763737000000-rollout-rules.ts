import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

const UP = [
  `CREATE TABLE "store"."approval_settings" ("brand_id" text NOT NULL, "approvals_required" integer NOT NULL DEFAULT '1', CONSTRAINT "CHK_aeea1d3dbe765534cff6bbe030" CHECK ("approvals_required" BETWEEN 0 AND 3), CONSTRAINT "PK_9daa424c7e3921bc04898b7232c" PRIMARY KEY ("brand_id"))`,
  `CREATE TABLE "store"."proposed_changes" ("id" uuid NOT NULL DEFAULT gen_random_uuid(), "brand_id" text NOT NULL, "kind" text NOT NULL, "change" jsonb NOT NULL, "reason" text NOT NULL, "proposed_by" uuid NOT NULL, "verdict" text, "decided_by" uuid, "decided_at" TIMESTAMP WITH TIME ZONE, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "CHK_b50ae7704f3f5ee1d9dc7958ec" CHECK ("verdict" IN ('confirmed', 'rejected')), CONSTRAINT "PK_827ad705f9ed035f0553c3dbb5a" PRIMARY KEY ("id"))`,
  `ALTER TABLE "store"."rollouts" ADD "set_key" text`,
  `ALTER TABLE "store"."rollouts" ADD "break_glass_reason" text`,
  `ALTER TABLE "store"."rollouts" ALTER COLUMN "snap_id" DROP NOT NULL`,
  `ALTER TABLE "store"."rollouts" ALTER COLUMN "lane_id" DROP NOT NULL`,
  `CREATE UNIQUE INDEX "IDX_4d7d9e0399a16ddbed470971cd" ON "store"."rollouts"  ("fleet_id", "set_key") WHERE "state" = ANY (ARRAY['ACTIVE'::text, 'PAUSED'::text, 'COMPLETING'::text])`,
  `ALTER TABLE "store"."rollouts" ADD CONSTRAINT "CHK_d23150292425c5d191b34f4027" CHECK (("lane_id" IS NULL) = ("snap_id" IS NULL) AND ("lane_id" IS NULL) <> ("set_key" IS NULL))`,
  `ALTER TABLE "store"."approval_settings" ADD CONSTRAINT "FK_9daa424c7e3921bc04898b7232c" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."proposed_changes" ADD CONSTRAINT "FK_7a13cfc49cabc82abda98a9c1fb" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."proposed_changes" ADD CONSTRAINT "FK_777150b2c1b66ec595a1b6b98e6" FOREIGN KEY ("proposed_by") REFERENCES "store"."people"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."proposed_changes" ADD CONSTRAINT "FK_63445c16a413c427add3f889102" FOREIGN KEY ("decided_by") REFERENCES "store"."people"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
];

const TABLES = ['approval_settings', 'proposed_changes'];

/** Rollouts of validation sets, approvals by brand with their changes by two people, and the broken glass. */
export class RolloutRules1763737000000 implements MigrationInterface {
  name = 'RolloutRules1763737000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of UP) await runner.query(statement);
    for (const table of TABLES) {
      await runner.query(ownedByBrand([table]));
    }
    await runner.query(
      grantOn(['approval_settings', 'proposed_changes'], 'SELECT, INSERT, UPDATE'),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE "store"."${table}"`);
    // The former release knows no rollouts of validation sets.
    await runner.query(
      `DELETE FROM store.approvals WHERE rollout_id IN (SELECT id FROM store.rollouts WHERE set_key IS NOT NULL)`,
    );
    await runner.query(
      `DELETE FROM store.rollout_transitions WHERE rollout_id IN (SELECT id FROM store.rollouts WHERE set_key IS NOT NULL)`,
    );
    await runner.query(
      `DELETE FROM store.brand_events WHERE rollout_id IN (SELECT id FROM store.rollouts WHERE set_key IS NOT NULL)`,
    );
    await runner.query(`DELETE FROM store.rollouts WHERE set_key IS NOT NULL`);
    await runner.query(
      `ALTER TABLE "store"."rollouts" DROP CONSTRAINT "CHK_d23150292425c5d191b34f4027"`,
    );
    await runner.query(`ALTER TABLE "store"."rollouts" ALTER COLUMN "lane_id" SET NOT NULL`);
    await runner.query(`ALTER TABLE "store"."rollouts" ALTER COLUMN "snap_id" SET NOT NULL`);
    await runner.query(`ALTER TABLE "store"."rollouts" DROP COLUMN "break_glass_reason"`);
    await runner.query(`ALTER TABLE "store"."rollouts" DROP COLUMN "set_key"`);
  }
}
