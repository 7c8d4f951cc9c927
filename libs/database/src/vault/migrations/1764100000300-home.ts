import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which database this is: a restored one is told from the one that was backed up (serial-vault.md 22, V95). */
export class Home1764100000300 implements MigrationInterface {
  name = 'Home1764100000300';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(
      `CREATE TABLE "vault"."home" ("id" integer NOT NULL DEFAULT 1, "identity" text NOT NULL, "since" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_vault_home" PRIMARY KEY ("id"))`,
    );
    await runner.query(`DO $$ BEGIN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE ON vault.home TO %I', regexp_replace(current_user, '_owner$', '_vault'));
    END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "vault"."home"`);
  }
}
