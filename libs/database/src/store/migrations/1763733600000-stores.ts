import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn } from './table-access.js';

const LICENCES = [
  `CREATE TABLE "store"."licences" ("id" uuid NOT NULL DEFAULT gen_random_uuid(), "brand_id" text NOT NULL, "owner_id" text NOT NULL, "snap_id" text NOT NULL, "store_id" text, "model" text, "starts_at" TIMESTAMP WITH TIME ZONE NOT NULL, "ends_at" TIMESTAMP WITH TIME ZONE, "reason" text NOT NULL, "accepted_at" TIMESTAMP WITH TIME ZONE, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "CHK_8e1a2aa85884b2ca32d205aa6f" CHECK (("store_id" IS NULL) <> ("model" IS NULL)), CONSTRAINT "PK_78f76903a7e2d2b2ac378fca8d3" PRIMARY KEY ("id"))`,
  `CREATE INDEX "IDX_dbb6d4c581f262f8d2d0ef5645" ON "store"."licences"  ("snap_id") `,
  `CREATE INDEX "IDX_575c182a463c01a2b057671756" ON "store"."licences"  ("owner_id") `,
  `CREATE INDEX "IDX_4d318322c77a78d9588e85b118" ON "store"."licences"  ("brand_id") `,
  `ALTER TABLE "store"."licences" ADD CONSTRAINT "FK_4d318322c77a78d9588e85b118c" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."licences" ADD CONSTRAINT "FK_575c182a463c01a2b0576717563" FOREIGN KEY ("owner_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."licences" ADD CONSTRAINT "FK_dbb6d4c581f262f8d2d0ef56455" FOREIGN KEY ("snap_id") REFERENCES "store"."snaps"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."licences" ADD CONSTRAINT "FK_05d80eafd1ab1ee36e52004fec9" FOREIGN KEY ("store_id") REFERENCES "store"."brand_stores"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
];

/** Whoever grants a licence and whoever has it see it; a change makes the policy of the one who has it anew. */
const LICENCE_RULES = `
  ALTER TABLE store.licences ENABLE ROW LEVEL SECURITY;
  CREATE POLICY brand ON store.licences USING (app.sees(brand_id) OR app.sees(owner_id))
    WITH CHECK (app.sees(brand_id) OR app.sees(owner_id));
  CREATE TRIGGER policy_insert AFTER INSERT ON store.licences REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION store.raise_policy_version();
  CREATE TRIGGER policy_update AFTER UPDATE ON store.licences REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION store.raise_policy_version();
  CREATE TRIGGER policy_delete AFTER DELETE ON store.licences REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION store.raise_policy_version();
  ${grantOn(['licences'], 'SELECT, INSERT, UPDATE, DELETE')}
`;

/** Installations made from now on have it from their first day. */
const PUBLIC_STORE = `
  WITH made AS (
    INSERT INTO store.brand_stores (id, brand_id, name, allow_public)
      SELECT md5(gen_random_uuid()::text), operator_account_id, 'public', true FROM store.installation
      RETURNING id, brand_id
  ), operator AS (
    UPDATE store.accounts SET is_brand = true WHERE id IN (SELECT brand_id FROM made)
  )
  UPDATE store.installation SET public_store_id = made.id FROM made;
`;

/** Licences, prices and essential snaps of stores, and the operator's public store (S4 to S6, S34). */
export class Stores1763733600000 implements MigrationInterface {
  name = 'Stores1763733600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(
      `ALTER TABLE "store"."brand_stores" ADD "essential_snaps" boolean NOT NULL DEFAULT false`,
    );
    await runner.query(`ALTER TABLE "store"."snaps" ADD "prices" jsonb NOT NULL DEFAULT '{}'`);
    await runner.query(`ALTER TABLE "store"."installation" ADD "public_store_id" text`);
    for (const statement of LICENCES) await runner.query(statement);
    await runner.query(LICENCE_RULES);
    await runner.query(PUBLIC_STORE);
    // Of the former shape: whoever needs one compiles it anew; the previous release goes on with those that it holds.
    await runner.query(`DELETE FROM store.policy_snapshots`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM store.policy_snapshots`);
    await runner.query(`DROP TABLE "store"."licences"`);
    await runner.query(`ALTER TABLE "store"."installation" DROP COLUMN "public_store_id"`);
    await runner.query(`ALTER TABLE "store"."snaps" DROP COLUMN "prices"`);
    await runner.query(`ALTER TABLE "store"."brand_stores" DROP COLUMN "essential_snaps"`);
  }
}
