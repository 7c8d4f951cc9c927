import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People may log in by the word of a provider (serial-vault.md 13, F35). */
export class Oidc1765200000000 implements MigrationInterface {
  name = 'Oidc1765200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

/** A begun login belongs to no brand, as a request-id does: only `asSystem` reads it, and no field shows it. */
const UP = `
  ALTER TABLE "vault"."members" ADD "identity_issuer" text, ADD "identity_subject" text,
    ADD CONSTRAINT "UQ_10a7e4232a088ed92b7061be064" UNIQUE ("brand_id", "identity_issuer", "identity_subject");
  CREATE TABLE "vault"."oidc_logins" ("ticket_hash" text NOT NULL, "state_hash" text NOT NULL, "brand" text NOT NULL, "redirect_uri" text NOT NULL, "code_verifier" text NOT NULL, "nonce" text NOT NULL, "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL, "used_at" TIMESTAMP WITH TIME ZONE, "proven" jsonb, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_6ca711dec97445bf7e662658ae4" PRIMARY KEY ("ticket_hash"));
  CREATE INDEX "IDX_0b70b1d3057fd6e3604f833ab9" ON "vault"."oidc_logins" ("expires_at");
  DO $$ BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON vault.oidc_logins TO %I', regexp_replace(current_user, '_owner$', '_vault'));
  END $$;
`;

const DOWN = `
  DROP TABLE "vault"."oidc_logins";
  ALTER TABLE "vault"."members" DROP COLUMN "identity_subject", DROP COLUMN "identity_issuer";
`;
