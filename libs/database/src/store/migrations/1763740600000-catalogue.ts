import type { MigrationInterface, QueryRunner } from 'typeorm';

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
    await runner.query(`ALTER TABLE store.revision_icons ENABLE ROW LEVEL SECURITY`);
    await runner.query(
      `CREATE POLICY brand ON store.revision_icons USING (app.sees(brand_id)) WITH CHECK (app.sees(brand_id))`,
    );
    // As revisions, icons never change. The roles bear the owner's prefix (provision.ts).
    await runner.query(`
      DO $$
      DECLARE role text;
      BEGIN
        FOREACH role IN ARRAY ARRAY['_store', '_worker'] LOOP
          role := regexp_replace(current_user, '_owner$', role);
          EXECUTE format('GRANT SELECT, INSERT ON store.revision_icons TO %I', role);
        END LOOP;
      END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "store"."revision_icons"`);
    await runner.query(`ALTER TABLE "store"."snaps" DROP COLUMN "categories"`);
  }
}
