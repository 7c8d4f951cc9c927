import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

const STATEMENTS = [
  `CREATE TABLE "store"."device_rollout_states" ("rollout_id" uuid NOT NULL, "device_uid" uuid NOT NULL, "instance_key" text NOT NULL, "brand_id" text NOT NULL, "snap_id" text NOT NULL, "revision" integer NOT NULL, "step" text NOT NULL, "state" jsonb NOT NULL, "acknowledged_at" TIMESTAMP WITH TIME ZONE, "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_f6c73271e7af24d62730f9ef862" PRIMARY KEY ("rollout_id", "device_uid", "instance_key"));`,
  `CREATE INDEX "IDX_e5483a93ff488234cb9d2bd8a6" ON "store"."device_rollout_states" ("device_uid") ;`,
  `CREATE TABLE "store"."device_snap_memories" ("device_uid" uuid NOT NULL, "instance_key" text NOT NULL, "brand_id" text NOT NULL, "snap_id" text NOT NULL, "memory" jsonb NOT NULL, "reverted_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_f226c565ea55eb12b65ef84983c" PRIMARY KEY ("device_uid", "instance_key"));`,
  `CREATE INDEX "IDX_a79e3ab6955ad61605af7bd8e7" ON "store"."device_snap_memories" ("snap_id", "reverted_at") WHERE "reverted_at" IS NOT NULL;`,
  `CREATE TABLE "store"."rollout_counts" ("rollout_id" uuid NOT NULL, "brand_id" text NOT NULL, "counts" jsonb, "counted_at" TIMESTAMP WITH TIME ZONE, "dirty_at" TIMESTAMP WITH TIME ZONE, "begun_at" TIMESTAMP WITH TIME ZONE, "cursor" uuid, "partial" jsonb, "judged" jsonb, "took_ms" integer NOT NULL DEFAULT '0', CONSTRAINT "PK_e868c3229b56b31989da368ae40" PRIMARY KEY ("rollout_id"));`,
  `CREATE TABLE "store"."gate_reports" ("id" uuid NOT NULL, "brand_id" text NOT NULL, "rollout_id" uuid NOT NULL, "wave_no" integer NOT NULL, "attempt" integer NOT NULL, "gate" text NOT NULL, "verdict" text NOT NULL, "detail" jsonb NOT NULL DEFAULT '{}', "reporter" text NOT NULL, "received_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_a26a698606f6bd2033c820186d0" PRIMARY KEY ("id"));`,
  `CREATE INDEX "IDX_1b1e73d55f7e2666d38b5f2c0d" ON "store"."gate_reports" ("rollout_id", "wave_no") ;`,
  `ALTER TABLE "store"."device_facts" ADD "seen_gaps" integer array NOT NULL DEFAULT '{}';`,
  `ALTER TABLE "store"."rollouts" ADD "parent_id" uuid;`,
  `ALTER TABLE "store"."waves" ADD "attempt" integer NOT NULL DEFAULT '1';`,
  `ALTER TABLE "store"."waves" ADD "attempt_at" TIMESTAMP WITH TIME ZONE;`,
  `CREATE UNIQUE INDEX "IDX_fd2371771e8cb2b4e655986571" ON "store"."rollouts" ("parent_id") WHERE "parent_id" IS NOT NULL AND "state" <> ALL (ARRAY['REJECTED'::text, 'EXPIRED'::text, 'ABORTED'::text]);`,
  `ALTER TABLE "store"."rollouts" ADD CONSTRAINT "FK_0924edd47044a2407fb0cf7ae5f" FOREIGN KEY ("parent_id") REFERENCES "store"."rollouts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;`,
  `ALTER TABLE "store"."device_rollout_states" ADD CONSTRAINT "FK_29ceff1d3bcfb7c0655cebfb05b" FOREIGN KEY ("rollout_id") REFERENCES "store"."rollouts"("id") ON DELETE CASCADE ON UPDATE NO ACTION;`,
  `ALTER TABLE "store"."device_rollout_states" ADD CONSTRAINT "FK_e5483a93ff488234cb9d2bd8a65" FOREIGN KEY ("device_uid") REFERENCES "store"."devices"("uid") ON DELETE CASCADE ON UPDATE NO ACTION;`,
  `ALTER TABLE "store"."device_rollout_states" ADD CONSTRAINT "FK_6775b50d17ac36bc84f682661b8" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;`,
  `ALTER TABLE "store"."device_rollout_states" ADD CONSTRAINT "FK_31a9691203b20aa90bcb051e9a6" FOREIGN KEY ("snap_id") REFERENCES "store"."snaps"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;`,
  `ALTER TABLE "store"."device_snap_memories" ADD CONSTRAINT "FK_5a45d39bfe41d7a5724674afc3b" FOREIGN KEY ("device_uid") REFERENCES "store"."devices"("uid") ON DELETE CASCADE ON UPDATE NO ACTION;`,
  `ALTER TABLE "store"."device_snap_memories" ADD CONSTRAINT "FK_8ee206a423d92b6ca6e8275dd49" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;`,
  `ALTER TABLE "store"."rollout_counts" ADD CONSTRAINT "FK_e868c3229b56b31989da368ae40" FOREIGN KEY ("rollout_id") REFERENCES "store"."rollouts"("id") ON DELETE CASCADE ON UPDATE NO ACTION;`,
  `ALTER TABLE "store"."rollout_counts" ADD CONSTRAINT "FK_a6926a8e6d344f56041abdbb77b" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;`,
  `ALTER TABLE "store"."gate_reports" ADD CONSTRAINT "FK_97a7558a72f29384ec7090b80bb" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;`,
  `ALTER TABLE "store"."gate_reports" ADD CONSTRAINT "FK_0816c6c9054e67f361b4598a357" FOREIGN KEY ("rollout_id") REFERENCES "store"."rollouts"("id") ON DELETE CASCADE ON UPDATE NO ACTION;`,
  `UPDATE "store"."waves" SET "attempt_at" = "opened_at" WHERE "opened_at" IS NOT NULL`,
];
const TABLES = ['device_rollout_states', 'device_snap_memories', 'rollout_counts', 'gate_reports'];

/** What devices are seen to do with what they are offered, and how waves are judged by it (update-control.md 2.7, 2.8). */
export class Signals1764200000000 implements MigrationInterface {
  name = 'Signals1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of STATEMENTS) await runner.query(statement);
    await runner.query(ownedByBrand(TABLES));
    await runner.query(grantOn(TABLES, 'SELECT, INSERT, UPDATE, DELETE'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "store"."rollouts" DROP COLUMN "parent_id"`);
    for (const column of ['attempt', 'attempt_at'])
      await runner.query(`ALTER TABLE "store"."waves" DROP COLUMN "${column}"`);
    await runner.query(`ALTER TABLE "store"."device_facts" DROP COLUMN "seen_gaps"`);
    for (const table of TABLES) await runner.query(`DROP TABLE "store"."${table}"`);
  }
}
