import type { MigrationInterface, QueryRunner } from 'typeorm';

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
    await runner.query(`ALTER TABLE store.retired_keys ENABLE ROW LEVEL SECURITY`);
    await runner.query(
      `CREATE POLICY brand ON store.retired_keys USING (app.sees(brand_id)) WITH CHECK (app.sees(brand_id))`,
    );
    // Nobody un-retires a key. The roles bear the owner's prefix (provision.ts).
    await runner.query(`
      DO $$
      DECLARE role text;
      BEGIN
        FOREACH role IN ARRAY ARRAY['_store', '_worker'] LOOP
          role := regexp_replace(current_user, '_owner$', role);
          EXECUTE format('GRANT SELECT, INSERT ON store.retired_keys TO %I', role);
        END LOOP;
      END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "store"."retired_keys"`);
  }
}
