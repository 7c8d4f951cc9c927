import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A one-time code is good once (RFC 6238 5.2): the last step that was used is remembered. */
export class SecondFactor1763722800000 implements MigrationInterface {
  name = 'SecondFactor1763722800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(`ALTER TABLE "store"."people" ADD "totp_last_step" bigint`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "store"."people" DROP COLUMN "totp_last_step"`);
  }
}
