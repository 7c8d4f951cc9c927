import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

/** Keys that sign nothing new (S9). */
export class RetiredKeys1763738500000 implements MigrationInterface {
  name = 'RetiredKeys1763738500000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(
      `CREATE TABLE "store"."retired_keys" ("key_id" text NOT NULL, "brand_id" text NOT NULL, "person_id" uuid NOT NULL, "reason" text NOT NULL, "retired_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_2a6281e02a30c3b4bfd6dee9399" PRIMARY KEY ("key_id"))`,
    );
    await runner.query(
      `ALTER TABLE "store"."retired_keys" ADD CONSTRAINT "FK_e3dff2013a9f6599ab9ffc32c20" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    );
    await runner.query(ownedByBrand(['retired_keys']));
    // Nobody un-retires a key.
    await runner.query(grantOn(['retired_keys'], 'SELECT, INSERT'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "store"."retired_keys"`);
  }
}
