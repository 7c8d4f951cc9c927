import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Roles of the page instead of three scopes, people whose roles their tokens follow, keys with a purpose (serial-vault.md 11.3, 13). */
export class Roles1764100000000 implements MigrationInterface {
  name = 'Roles1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}

/** A token keeps what it could do. */
const UP = `
  CREATE TABLE "vault"."members" ("id" uuid NOT NULL DEFAULT gen_random_uuid(), "brand_id" text NOT NULL, "email" text NOT NULL, "display_name" text NOT NULL, "roles" text array NOT NULL, "removed_at" TIMESTAMP WITH TIME ZONE, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "UQ_4d3677c249dc7a214bef2fec43b" UNIQUE ("brand_id", "email"), CONSTRAINT "PK_28b53062261b996d9c99fa12404" PRIMARY KEY ("id"));
  ALTER TABLE "vault"."members" ADD CONSTRAINT "FK_fb4e78dda8e5d4920841edd0dea" FOREIGN KEY ("brand_id") REFERENCES "vault"."brands"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;
  ALTER TABLE "vault"."members" ENABLE ROW LEVEL SECURITY;
  CREATE POLICY brand ON "vault"."members" USING (app.sees(brand_id)) WITH CHECK (app.sees(brand_id));
  DO $$ BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON vault.members TO %I', regexp_replace(current_user, '_owner$', '_vault'));
  END $$;
  ALTER TABLE "vault"."tokens" ADD "roles" text array, ADD "member_id" uuid;
  ALTER TABLE "vault"."tokens" ADD CONSTRAINT "FK_331ace269f1d095b79e49352b96" FOREIGN KEY ("member_id") REFERENCES "vault"."members"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;
  UPDATE "vault"."tokens" SET roles = CASE
    WHEN scope = 'admin' AND brand_id IS NULL THEN '{instance-admin,vault-admin,key-custodian,production,approver,auditor,system-user-signer}'
    WHEN scope = 'admin' THEN '{vault-admin,key-custodian,production,approver,auditor,system-user-signer}'
    WHEN scope = 'operator' THEN '{production,approver,auditor}'
    ELSE '{auditor}' END::text[];
  ALTER TABLE "vault"."tokens" ALTER "roles" SET NOT NULL;
  ALTER TABLE "vault"."tokens" DROP COLUMN "scope";
  ALTER TABLE "vault"."signing_keys" ADD "purpose" text NOT NULL DEFAULT 'serial';
`;

const DOWN = `
  ALTER TABLE "vault"."signing_keys" DROP COLUMN "purpose";
  ALTER TABLE "vault"."tokens" ADD "scope" text;
  UPDATE "vault"."tokens" SET scope = CASE WHEN 'vault-admin' = ANY (roles) THEN 'admin'
    WHEN roles && '{production,approver}'::text[] THEN 'operator' ELSE 'viewer' END;
  ALTER TABLE "vault"."tokens" ALTER "scope" SET NOT NULL;
  ALTER TABLE "vault"."tokens" DROP COLUMN "member_id", DROP COLUMN "roles";
  DROP TABLE "vault"."members";
`;
