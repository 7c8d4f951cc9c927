import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

const STATEMENTS = [
  `CREATE TABLE "store"."webhooks" ("id" uuid NOT NULL, "brand_id" text NOT NULL, "url" text NOT NULL, "kinds" text array NOT NULL DEFAULT '{}', "secret_no" integer NOT NULL DEFAULT '1', "previous_until" TIMESTAMP WITH TIME ZONE, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_9e8795cfc899ab7bdaa831e8527" PRIMARY KEY ("id"))`,
  `CREATE INDEX "IDX_e1416f60657ce3ef38da8ba95c" ON "store"."webhooks"  ("brand_id")`,
  `CREATE TABLE "store"."webhook_deliveries" ("id" uuid NOT NULL DEFAULT gen_random_uuid(), "brand_id" text NOT NULL, "webhook_id" uuid NOT NULL, "event_id" uuid NOT NULL, "state" text NOT NULL DEFAULT 'pending', "attempts" integer NOT NULL DEFAULT '0', "next_attempt_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), "since" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), "last_status" integer, "last_error" text, "delivered_at" TIMESTAMP WITH TIME ZONE, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "UQ_08da689824f3b97fa480338bac4" UNIQUE ("webhook_id", "event_id"), CONSTRAINT "CHK_c7840666c63c0bd391debf9eda" CHECK ("state" IN ('pending', 'delivered', 'dead')), CONSTRAINT "PK_535dd409947fb6d8fc6dfc0112a" PRIMARY KEY ("id"))`,
  `CREATE INDEX "IDX_317d15f95fddd2c62ab8bafdf2" ON "store"."webhook_deliveries"  ("next_attempt_at") WHERE "state" = 'pending'::text`,
  `CREATE INDEX "IDX_dd31b992b9b7e8f4f741866d66" ON "store"."brand_events" ("rollout_id", "seq")`,
  `ALTER TABLE "store"."webhooks" ADD CONSTRAINT "FK_e1416f60657ce3ef38da8ba95c6" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."webhook_deliveries" ADD CONSTRAINT "FK_10a7a8c136e680d0a54937c2186" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."webhook_deliveries" ADD CONSTRAINT "FK_a0286aeb96db651efd1ae2966f2" FOREIGN KEY ("webhook_id") REFERENCES "store"."webhooks"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."webhook_deliveries" ADD CONSTRAINT "FK_27d1ee90033bdafe0ffe8f1be6f" FOREIGN KEY ("event_id") REFERENCES "store"."brand_events"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
];

/** Where a brand's events are sent, and what became of each (update-control.md 2.11). */
export class Webhooks1763738600000 implements MigrationInterface {
  name = 'Webhooks1763738600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const table of ['webhooks', 'webhook_deliveries']) {
      await runner.query(ownedByBrand([table]));
    }
    await runner.query(
      grantOn(['webhooks', 'webhook_deliveries'], 'SELECT, INSERT, UPDATE, DELETE'),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "store"."IDX_dd31b992b9b7e8f4f741866d66"`);
    await runner.query(`DROP TABLE "store"."webhook_deliveries", "store"."webhooks"`);
  }
}
