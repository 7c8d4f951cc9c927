import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

const TABLES = ['snap_icons', 'collaborators'];

const STATEMENTS = [
  `ALTER TABLE "store"."accounts" ADD "snap_types" text array NOT NULL DEFAULT '{app,gadget,kernel,base,snapd,os}'`,
  `ALTER TABLE "store"."uploads" ADD "approved_by" uuid`,
  `ALTER TABLE "store"."snaps" ADD "version_patterns" jsonb NOT NULL DEFAULT '{}'`,
  `ALTER TABLE "store"."snaps" ADD "edited_texts" text array NOT NULL DEFAULT '{}'`,
  `CREATE TABLE "store"."snap_icons" ("snap_id" text NOT NULL, "brand_id" text NOT NULL, "sha256" text NOT NULL, "format" text NOT NULL, "filename" text NOT NULL, "bytes" bytea NOT NULL, CONSTRAINT "PK_f42a88f9a853873879a4608512b" PRIMARY KEY ("snap_id"))`,
  `CREATE INDEX "IDX_a1236d91d9455c003016ea55d0" ON "store"."snap_icons" ("sha256")`,
  `ALTER TABLE "store"."snap_icons" ADD CONSTRAINT "FK_f42a88f9a853873879a4608512b" FOREIGN KEY ("snap_id") REFERENCES "store"."snaps"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."snap_icons" ADD CONSTRAINT "FK_f1ad7fb080f59d0a7c37e9a5958" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `CREATE TABLE "store"."collaborators" ("snap_id" text NOT NULL, "account_id" text NOT NULL, "brand_id" text NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_2fd6d79a61f66ff52ee019c6b03" PRIMARY KEY ("snap_id", "account_id"))`,
  `CREATE INDEX "IDX_6074959be21daa4939d05878f7" ON "store"."collaborators" ("account_id")`,
  `ALTER TABLE "store"."collaborators" ADD CONSTRAINT "FK_6d0c5b62ba92c8bc9c851f290dc" FOREIGN KEY ("snap_id") REFERENCES "store"."snaps"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."collaborators" ADD CONSTRAINT "FK_6074959be21daa4939d05878f74" FOREIGN KEY ("account_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."collaborators" ADD CONSTRAINT "FK_e8952ab52b106631ac010d4affe" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
];

/** What publishers and reviewers say of snaps beside their files (publisher-api.md 3.1, 3.5, 3.11, 4.6). */
export class Publishing1763744100000 implements MigrationInterface {
  name = 'Publishing1763744100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of STATEMENTS) await runner.query(statement);
    await runner.query(ownedByBrand(TABLES));
    await runner.query(grantOn(TABLES, 'SELECT, INSERT, UPDATE, DELETE'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "store"."collaborators", "store"."snap_icons"`);
    await runner.query(`ALTER TABLE "store"."snaps" DROP COLUMN "edited_texts"`);
    await runner.query(`ALTER TABLE "store"."snaps" DROP COLUMN "version_patterns"`);
    await runner.query(`ALTER TABLE "store"."accounts" DROP COLUMN "snap_types"`);
    await runner.query(`ALTER TABLE "store"."uploads" DROP COLUMN "approved_by"`);
  }
}
