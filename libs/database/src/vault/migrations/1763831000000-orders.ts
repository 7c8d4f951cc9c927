import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Listed serials know their batch (serial-vault.md 6.3); remodel rules are for ranges and batches, too (10.4). */
export class Orders1763831000000 implements MigrationInterface {
  name = 'Orders1763831000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(`ALTER TABLE "vault"."listed_serials" ADD "batch" text NOT NULL DEFAULT ''`);
    await runner.query(
      `ALTER TABLE "vault"."remodel_rules" ADD "to_serial" text, ADD "batch" text`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "vault"."remodel_rules" DROP COLUMN "batch", DROP COLUMN "to_serial"`,
    );
    await runner.query(`ALTER TABLE "vault"."listed_serials" DROP COLUMN "batch"`);
  }
}
