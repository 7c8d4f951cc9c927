import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn } from './table-access.js';

const STATEMENTS = [
  `CREATE TABLE "store"."foreign_roots" ("id" text NOT NULL, "trusted" bytea NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_203927a8c748f261270b69acf79" PRIMARY KEY ("id"))`,
  `CREATE TABLE "store"."foreign_assertions" ("type" text NOT NULL, "primary_key" text NOT NULL, "format" integer NOT NULL, "revision" integer NOT NULL, "root_id" text NOT NULL, "bytes" bytea NOT NULL, "snap_id" text, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_7b3f520b5ee329651bbb0a70d62" PRIMARY KEY ("type", "primary_key", "format", "revision"))`,
  `CREATE INDEX "IDX_da0de24377baf357bddd231c47" ON "store"."foreign_assertions"  ("snap_id") `,
  `ALTER TABLE "store"."snaps" ADD "root_id" text`,
  `ALTER TABLE "store"."snaps" ADD "foreign_publisher" jsonb`,
  `ALTER TABLE "store"."foreign_assertions" ADD CONSTRAINT "FK_bea4e3513b05f7d2b232feda261" FOREIGN KEY ("root_id") REFERENCES "store"."foreign_roots"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."snaps" ADD CONSTRAINT "FK_14ebbd74d12e8ae2cb3c402097d" FOREIGN KEY ("root_id") REFERENCES "store"."foreign_roots"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
];

/** The roots of others and what stands under them, apart from ours (decisions 6, 7). Neither table belongs to a brand. */
export class ForeignRoots1763740100000 implements MigrationInterface {
  name = 'ForeignRoots1763740100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of STATEMENTS) await runner.query(statement);
    // A root is configuration, and what it signed stays as it came.
    await runner.query(grantOn(['foreign_roots', 'foreign_assertions'], 'SELECT, INSERT'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "store"."snaps" DROP COLUMN "foreign_publisher", DROP COLUMN "root_id"`,
    );
    await runner.query(`DROP TABLE "store"."foreign_assertions", "store"."foreign_roots"`);
  }
}
