import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What comes from a former vault has neither serial assertions nor model assertions (serial-vault.md 22, V96). */
export class FormerVault1765300000000 implements MigrationInterface {
  name = 'FormerVault1765300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(`ALTER TABLE "vault"."devices" ALTER COLUMN "bytes" DROP NOT NULL`);
    await runner.query(`ALTER TABLE "vault"."models" ALTER COLUMN "bytes" DROP NOT NULL`);
  }

  /** Nobody could read such rows any more. */
  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['devices', 'models']) {
      await runner.query(`DELETE FROM "vault"."${table}" WHERE "bytes" IS NULL`);
      await runner.query(`ALTER TABLE "vault"."${table}" ALTER COLUMN "bytes" SET NOT NULL`);
    }
  }
}
