import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

const STATEMENTS = [
  `CREATE TABLE "store"."component_revisions" ("snap_id" text NOT NULL, "name" text NOT NULL, "revision" integer NOT NULL, "brand_id" text NOT NULL, "blob_id" uuid NOT NULL, "sha3384" text NOT NULL, "size_bytes" bigint NOT NULL, "type" text NOT NULL, "version" text, "description" text, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "UQ_a65fe6e5e51e81b67bfd2a6588b" UNIQUE ("snap_id", "name", "sha3384"), CONSTRAINT "CHK_afbc354230db96e001205a7c01" CHECK ("revision" > 0), CONSTRAINT "PK_73145352cc1c9b0ab65db2340f1" PRIMARY KEY ("snap_id", "name", "revision"))`,
  `CREATE TABLE "store"."component_pairs" ("snap_id" text NOT NULL, "snap_revision" integer NOT NULL, "name" text NOT NULL, "revision" integer NOT NULL, "brand_id" text NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_8eff6c7a12749a6fbba94d3bc8f" PRIMARY KEY ("snap_id", "snap_revision", "name"))`,
  `ALTER TABLE "store"."uploads" ADD "components" jsonb NOT NULL DEFAULT '{}'`,
  `ALTER TABLE "store"."component_revisions" ADD CONSTRAINT "FK_2b06eeb17de64147b508482ace1" FOREIGN KEY ("snap_id") REFERENCES "store"."snaps"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."component_revisions" ADD CONSTRAINT "FK_1e49bdb534bed000f9f105cb42f" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."component_revisions" ADD CONSTRAINT "FK_886d86c44db7f974460a086b2c8" FOREIGN KEY ("blob_id") REFERENCES "store"."blobs"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."component_pairs" ADD CONSTRAINT "FK_d4e7ecacc7dc37d7a55b4a4a3b2" FOREIGN KEY ("snap_id") REFERENCES "store"."snaps"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."component_pairs" ADD CONSTRAINT "FK_886258c55e89609ef9d784dfc39" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
];

/** Components of snaps: what bytes they are, and which of them belong to which revision of their snap. */
export class Components1763741000000 implements MigrationInterface {
  name = 'Components1763741000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const table of ['component_revisions', 'component_pairs']) {
      await runner.query(ownedByBrand([table]));
    }
    // What is signed is never changed or deleted.
    await runner.query(grantOn(['component_revisions', 'component_pairs'], 'SELECT, INSERT'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "store"."uploads" DROP COLUMN "components"`);
    await runner.query(`DROP TABLE "store"."component_pairs", "store"."component_revisions"`);
  }
}
