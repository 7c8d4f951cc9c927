import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

const STATEMENTS = [
  `CREATE TABLE "store"."revision_icons" ("snap_id" text NOT NULL, "revision" integer NOT NULL, "brand_id" text NOT NULL, "sha256" text NOT NULL, "format" text NOT NULL, "bytes" bytea NOT NULL, CONSTRAINT "PK_fa4a47247343bbee881509782f2" PRIMARY KEY ("snap_id", "revision"))`,
  `CREATE INDEX "IDX_4640b244d6542ce52366558d05" ON "store"."revision_icons" ("sha256")`,
  `ALTER TABLE "store"."revision_icons" ADD CONSTRAINT "FK_2be3718e0f3e4789f42aef56321" FOREIGN KEY ("snap_id") REFERENCES "store"."snaps"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."revision_icons" ADD CONSTRAINT "FK_e50be94813988b4bb43bef812e4" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
];

/** Icons of revisions, and the categories that a store's people put snaps into (device-api.md 2.11, 2.15). */
export class Catalogue1763740600000 implements MigrationInterface {
  name = 'Catalogue1763740600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(
      `ALTER TABLE "store"."snaps" ADD "categories" text array NOT NULL DEFAULT '{}'`,
    );
    for (const statement of STATEMENTS) await runner.query(statement);
    await runner.query(ownedByBrand(['revision_icons']));
    // As revisions, icons never change.
    await runner.query(grantOn(['revision_icons'], 'SELECT, INSERT'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "store"."revision_icons"`);
    await runner.query(`ALTER TABLE "store"."snaps" DROP COLUMN "categories"`);
  }
}
