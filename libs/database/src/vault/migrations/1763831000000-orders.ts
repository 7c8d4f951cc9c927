import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Listed serials know their batch (serial-vault.md 6.3). */
export class Orders1763831000000 implements MigrationInterface {
  name = 'Orders1763831000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(`ALTER TABLE "vault"."listed_serials" ADD "batch" text NOT NULL DEFAULT ''`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "vault"."listed_serials" DROP COLUMN "batch"`);
  }
}
