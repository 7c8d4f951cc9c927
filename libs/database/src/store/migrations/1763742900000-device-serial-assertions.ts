import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A device can ask the store for its own serial assertion (S40). */
export class DeviceSerialAssertions1763742900000 implements MigrationInterface {
  name = 'DeviceSerialAssertions1763742900000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(`ALTER TABLE "store"."devices" ADD "serial_assertion" bytea`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "store"."devices" DROP COLUMN "serial_assertion"`);
  }
}
