import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a ramp is measured by, a person's word for a wave, and approvals that count for one submission only. */
export class WaveClocks1763726400000 implements MigrationInterface {
  name = 'WaveClocks1763726400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(`ALTER TABLE "store"."waves" ADD "ramp_ms" bigint NOT NULL DEFAULT '0'`);
    await runner.query(
      `ALTER TABLE "store"."waves" ADD "active_ms_at_open" bigint NOT NULL DEFAULT '0'`,
    );
    await runner.query(`ALTER TABLE "store"."waves" ADD "advanced_at" TIMESTAMP WITH TIME ZONE`);
    await runner.query(`ALTER TABLE "store"."approvals" ADD "rev" bigint NOT NULL`);
    await runner.query(
      `ALTER TABLE "store"."approvals" DROP CONSTRAINT "PK_9d35478a9e30b7fb4989aa462cb"`,
    );
    await runner.query(
      `ALTER TABLE "store"."approvals" ADD CONSTRAINT "PK_333a4dd554bf2daa364e50ca227" PRIMARY KEY ("rollout_id", "person_id", "plan_hash", "rev")`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "store"."approvals" DROP CONSTRAINT "PK_333a4dd554bf2daa364e50ca227"`,
    );
    await runner.query(
      `ALTER TABLE "store"."approvals" ADD CONSTRAINT "PK_9d35478a9e30b7fb4989aa462cb" PRIMARY KEY ("rollout_id", "person_id", "plan_hash")`,
    );
    await runner.query(`ALTER TABLE "store"."approvals" DROP COLUMN "rev"`);
    await runner.query(`ALTER TABLE "store"."waves" DROP COLUMN "advanced_at"`);
    await runner.query(`ALTER TABLE "store"."waves" DROP COLUMN "active_ms_at_open"`);
    await runner.query(`ALTER TABLE "store"."waves" DROP COLUMN "ramp_ms"`);
  }
}
