import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

/** The journal that notifications are delivered from (update-control.md 2.11). */
export class BrandEvents1763730000000 implements MigrationInterface {
  name = 'BrandEvents1763730000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(
      `CREATE TABLE "store"."brand_events" ("id" uuid NOT NULL DEFAULT gen_random_uuid(), "brand_id" text NOT NULL, "seq" bigint NOT NULL, "kind" text NOT NULL, "subject" text NOT NULL, "rollout_id" uuid, "detail" jsonb NOT NULL DEFAULT '{}', "at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "UQ_19b97b57e72afe97cad14ec8c7f" UNIQUE ("brand_id", "seq"), CONSTRAINT "PK_560e0ba02c2cafa9b9b6048bd5f" PRIMARY KEY ("id"))`,
    );
    await runner.query(
      `ALTER TABLE "store"."brand_events" ADD CONSTRAINT "FK_3afcc0d0d3e772a6a1e3d069bc3" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "store"."brand_events" ADD CONSTRAINT "FK_a9fc599cde50de7c8f9cda55e10" FOREIGN KEY ("rollout_id") REFERENCES "store"."rollouts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    );
    await runner.query(ownedByBrand(['brand_events']));
    // Append-only.
    await runner.query(grantOn(['brand_events'], 'SELECT, INSERT'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "store"."brand_events"`);
  }
}
