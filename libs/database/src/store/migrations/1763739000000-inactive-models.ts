import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Why a model is switched off (S12). */
export class InactiveModels1763739000000 implements MigrationInterface {
  name = 'InactiveModels1763739000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(`ALTER TABLE "store"."models" ADD "inactive_reason" text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "store"."models" DROP COLUMN "inactive_reason"`);
  }
}
