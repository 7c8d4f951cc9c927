import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Releases to a share of the devices (publisher-api.md 4.4). */
export class Progressive1763744000000 implements MigrationInterface {
  name = 'Progressive1763744000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(`ALTER TABLE "store"."lane_events" ADD "progressive" jsonb`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "store"."lane_events" DROP COLUMN "progressive"`);
  }
}
