import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

const STATEMENTS = [
  `CREATE TABLE "store"."rollout_previews" ("rollout_id" uuid NOT NULL, "rev" bigint NOT NULL, "brand_id" text NOT NULL, "hash" text NOT NULL, "preview" jsonb NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_227c7e259806a9dca01b6174db5" PRIMARY KEY ("rollout_id", "rev"))`,
  `ALTER TABLE "store"."approvals" ADD "preview_hash" text`,
  `ALTER TABLE "store"."rollout_previews" ADD CONSTRAINT "FK_10522f41f37830867b2a46db2ed" FOREIGN KEY ("rollout_id") REFERENCES "store"."rollouts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
  `ALTER TABLE "store"."rollout_previews" ADD CONSTRAINT "FK_5229479a7df5e102208a7abffea" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
];

/** What plans were shown to do, signed with them (update-control.md 2.10); and events are told as they happen (2.11). */
export class Previews1764300000200 implements MigrationInterface {
  name = 'Previews1764300000200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of STATEMENTS) await runner.query(statement);
    await runner.query(ownedByBrand(['rollout_previews']));
    await runner.query(grantOn(['rollout_previews'], 'SELECT, INSERT'));
    await runner.query(
      `CREATE TRIGGER tell AFTER INSERT ON store.brand_events FOR EACH ROW EXECUTE FUNCTION store.tell('brand-event')`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER tell ON store.brand_events`);
    await runner.query(`ALTER TABLE "store"."approvals" DROP COLUMN "preview_hash"`);
    await runner.query(`DROP TABLE "store"."rollout_previews"`);
  }
}
