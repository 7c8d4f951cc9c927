import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A vault lifts a revocation, and moves a device to another serial or model (decisions 3). */
export class DeviceMoves1764100000100 implements MigrationInterface {
  name = 'DeviceMoves1764100000100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(
      `ALTER TABLE "store"."device_revocations" ADD "kind" text NOT NULL DEFAULT 'ends'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "store"."device_revocations" DROP COLUMN "kind"`);
  }
}
