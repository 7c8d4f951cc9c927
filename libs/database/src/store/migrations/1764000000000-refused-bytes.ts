import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bytes of refused uploads do not lie about for ever. */
export class RefusedBytes1764000000000 implements MigrationInterface {
  name = 'RefusedBytes1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(`ALTER TABLE "store"."blobs" ADD "deleted_at" TIMESTAMP WITH TIME ZONE`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "store"."blobs" DROP COLUMN "deleted_at"`);
  }
}
