import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A device goes on under another serial or model, and the store is told of it (decisions 3). */
export class VaultDeviceMoves1764100000200 implements MigrationInterface {
  name = 'VaultDeviceMoves1764100000200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(
      `ALTER TABLE "vault"."device_events" ADD "to_model" text, ADD "to_serial" text`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "vault"."device_events" DROP COLUMN "to_serial", DROP COLUMN "to_model"`,
    );
  }
}
