import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

const STATEMENTS = [
  `CREATE TABLE "store"."delta_targets" ("snap_id" text NOT NULL, "revision" integer NOT NULL, "brand_id" text NOT NULL, "released_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), "looked_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_a21d650d7cac84ba77ad59491d3" PRIMARY KEY ("snap_id", "revision"))`,
  `CREATE INDEX "IDX_8c3df143c9a87d38fb21f7d69a" ON "store"."delta_targets"  ("looked_at")`,
  `CREATE TABLE "store"."deltas" ("snap_id" text NOT NULL, "target" integer NOT NULL, "source" integer NOT NULL, "brand_id" text NOT NULL, "verdict" text NOT NULL, "blob_id" uuid, "sha3384" text, "size_bytes" bigint, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "CHK_3da767a4128a4ef7e0647fad5f" CHECK (("verdict" = 'made') = ("blob_id" IS NOT NULL)), CONSTRAINT "PK_e61b3238f311c2d8de565e397fa" PRIMARY KEY ("snap_id", "target", "source"))`,
  `ALTER TABLE "store"."delta_targets" ADD CONSTRAINT "FK_b152968f02fb95e8858b0d18ab3" FOREIGN KEY ("snap_id") REFERENCES "store"."snaps"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."delta_targets" ADD CONSTRAINT "FK_254802029d84e952d2e2be78c1e" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."deltas" ADD CONSTRAINT "FK_f6fcafbb7e5e7ed4d27bbb7b6e2" FOREIGN KEY ("snap_id") REFERENCES "store"."snaps"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."deltas" ADD CONSTRAINT "FK_225532fc5b0cf2936f834dc4411" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."deltas" ADD CONSTRAINT "FK_0a8e7cac4e5057aed6d3af01a6d" FOREIGN KEY ("blob_id") REFERENCES "store"."blobs"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
];

/** Deltas between revisions, and the released revisions to which they lead (device-api.md 2.3). */
export class Deltas1763741500000 implements MigrationInterface {
  name = 'Deltas1763741500000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const table of ['delta_targets', 'deltas']) {
      await runner.query(ownedByBrand([table]));
    }
    await runner.query(grantOn(['delta_targets', 'deltas'], 'SELECT, INSERT, UPDATE, DELETE'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "store"."deltas", "store"."delta_targets"`);
  }
}
