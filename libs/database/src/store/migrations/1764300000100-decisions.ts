import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

const STATEMENTS = [
  `CREATE TABLE "store"."decisions" ("device_uid" uuid NOT NULL, "instance_key" text NOT NULL, "at" TIMESTAMP WITH TIME ZONE NOT NULL, "brand_id" text NOT NULL, "snap_id" text NOT NULL, "answer" text NOT NULL, "decision" text NOT NULL, "request" jsonb NOT NULL, "facts_hash" text NOT NULL, "policy_version" bigint NOT NULL, "policy_hash" text NOT NULL, "overlay_version" bigint NOT NULL, "resolver_version" integer NOT NULL, "tzdb" text NOT NULL, CONSTRAINT "PK_dae0490dcc4dd79ce495f5cef43" PRIMARY KEY ("device_uid", "instance_key", "at"))`,
  `CREATE INDEX "IDX_c1631c9ad042bf2b0e3ecc09a1" ON "store"."decisions"  ("at") `,
  `CREATE INDEX "IDX_f9d6f58c8246ce6920739cb484" ON "store"."decisions"  ("brand_id", "policy_version") `,
  `CREATE INDEX "IDX_1c2293c93a7329b02c2f5939e4" ON "store"."decisions"  ("device_uid", "snap_id", "at") `,
  `CREATE TABLE "store"."decision_facts" ("device_uid" uuid NOT NULL, "hash" text NOT NULL, "brand_id" text NOT NULL, "facts" jsonb NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_cde96e633b6f2f44288add3c663" PRIMARY KEY ("device_uid", "hash"))`,
  `ALTER TABLE "store"."decisions" ADD CONSTRAINT "FK_7145193856590e448a129f6f4cc" FOREIGN KEY ("device_uid") REFERENCES "store"."devices"("uid") ON DELETE CASCADE ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."decisions" ADD CONSTRAINT "FK_49b8cb385b1f9c905de5bdb2a20" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."decision_facts" ADD CONSTRAINT "FK_b58b693fc183faff9de98a7f2ab" FOREIGN KEY ("device_uid") REFERENCES "store"."devices"("uid") ON DELETE CASCADE ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."decision_facts" ADD CONSTRAINT "FK_5e8a5bae5563c7c48961dc32de2" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
];
const TABLES = ['decisions', 'decision_facts'];

/** Answers to devices with what they rested on, so that they can be explained later (update-control.md 2.10). */
export class Decisions1764300000100 implements MigrationInterface {
  name = 'Decisions1764300000100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of STATEMENTS) await runner.query(statement);
    await runner.query(ownedByBrand(TABLES));
    // Never changed; what is too old is forgotten.
    await runner.query(grantOn(TABLES, 'SELECT, INSERT, DELETE'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "store"."decision_facts", "store"."decisions"`);
  }
}
