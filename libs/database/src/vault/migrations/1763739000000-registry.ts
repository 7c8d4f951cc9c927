import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the store's registry says of a model (S12). */
export class Registry1763739000000 implements MigrationInterface {
  name = 'Registry1763739000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(`ALTER TABLE "vault"."models" ADD "registry_reason" text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "vault"."models" DROP COLUMN "registry_reason"`);
  }
}
