import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People of the vault log in (decisions 26), and two of them disable a key that is in use (serial-vault.md 13). */
export class Logins1765100000000 implements MigrationInterface {
  name = 'Logins1765100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

const UP = `
  ALTER TABLE "vault"."members" ADD "password_hash" text NOT NULL DEFAULT '', ADD "totp_secret" text, ADD "totp_last_step" bigint,
    ADD "recovery_codes" text array NOT NULL DEFAULT '{}', ADD "invitation_hash" text, ADD "invited_until" TIMESTAMP WITH TIME ZONE;
  ALTER TABLE "vault"."tokens" ADD "kind" text NOT NULL DEFAULT 'token';
  ALTER TABLE "vault"."signing_keys" ADD "disabling_by" text, ADD "disabling_at" TIMESTAMP WITH TIME ZONE;
`;

const DOWN = `
  ALTER TABLE "vault"."signing_keys" DROP COLUMN "disabling_by", DROP COLUMN "disabling_at";
  DELETE FROM "vault"."tokens" WHERE kind <> 'token';
  ALTER TABLE "vault"."tokens" DROP COLUMN "kind";
  ALTER TABLE "vault"."members" DROP COLUMN "password_hash", DROP COLUMN "totp_secret", DROP COLUMN "totp_last_step",
    DROP COLUMN "recovery_codes", DROP COLUMN "invitation_hash", DROP COLUMN "invited_until";
`;
