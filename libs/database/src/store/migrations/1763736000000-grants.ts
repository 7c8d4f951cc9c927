import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

const UP = [
  `ALTER TABLE "store"."memberships" ADD "id" uuid NOT NULL DEFAULT gen_random_uuid()`,
  `ALTER TABLE "store"."memberships" ADD "limits" jsonb NOT NULL DEFAULT '{}'`,
  `ALTER TABLE "store"."memberships" DROP CONSTRAINT "PK_03d9e0cdc9bb645b892e6824a0b"`,
  `ALTER TABLE "store"."memberships" ADD CONSTRAINT "PK_25d28bd932097a9e90495ede7b4" PRIMARY KEY ("id")`,
  `ALTER TABLE "store"."memberships" ADD CONSTRAINT "UQ_8d984b0d2ebde8e0ad2784756b6" UNIQUE ("brand_id", "person_id", "role", "limits")`,
  `ALTER TABLE "store"."people" ADD "recovery_codes" text array NOT NULL DEFAULT '{}'`,
  `ALTER TABLE "store"."tokens" ADD "lookup" text NOT NULL DEFAULT ''`,
  `CREATE TABLE "store"."audit_checks" ("brand_id" text NOT NULL, "seq" bigint NOT NULL, "hash" text NOT NULL, "broken_seq" bigint, "checked_at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "PK_188c14fb1c0bedde5b7dd881a45" PRIMARY KEY ("brand_id"))`,
  ownedByBrand(['audit_checks']),
  grantOn(['audit_checks'], 'SELECT, INSERT, UPDATE'),
];

const DOWN = [
  `DROP TABLE "store"."audit_checks"`,
  `ALTER TABLE "store"."tokens" DROP COLUMN "lookup"`,
  `ALTER TABLE "store"."people" DROP COLUMN "recovery_codes"`,
  // A role within limits would become one without.
  `DELETE FROM "store"."memberships" WHERE "limits" <> '{}'`,
  `ALTER TABLE "store"."memberships" DROP CONSTRAINT "UQ_8d984b0d2ebde8e0ad2784756b6"`,
  `ALTER TABLE "store"."memberships" DROP CONSTRAINT "PK_25d28bd932097a9e90495ede7b4"`,
  `ALTER TABLE "store"."memberships" ADD CONSTRAINT "PK_03d9e0cdc9bb645b892e6824a0b" PRIMARY KEY ("brand_id", "person_id", "role")`,
  `ALTER TABLE "store"."memberships" DROP COLUMN "limits"`,
  `ALTER TABLE "store"."memberships" DROP COLUMN "id"`,
];

/** Roles within limits, codes for a lost second factor, and where the last check of an audit chain ended. */
export class Grants1763736000000 implements MigrationInterface {
  name = 'Grants1763736000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}
