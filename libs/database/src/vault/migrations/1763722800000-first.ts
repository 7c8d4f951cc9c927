import type { MigrationInterface, QueryRunner } from 'typeorm';
import { FIRST_VAULT_TABLES } from './first-tables.js';

/** Rows are never changed or deleted, whatever the vault's role tries (serial-vault.md 12.2). */
const APPEND_ONLY = [
  'signing_log',
  'audit_log',
  'model_policies',
  'device_events',
  'superseded_keys',
];

/** The sender and the trusted set hear of what is new; the payload says nothing. */
const TRIGGERS = `
  CREATE FUNCTION vault.tell() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_notify(TG_ARGV[0], '');
    RETURN NULL;
  END $$;
  CREATE TRIGGER tell AFTER INSERT ON vault.outbox FOR EACH ROW EXECUTE FUNCTION vault.tell('vault_outbox');
  CREATE TRIGGER tell AFTER INSERT OR UPDATE ON vault.assertions FOR EACH ROW EXECUTE FUNCTION vault.tell('vault_trust');
`;

/** As in the store: a transaction sees the rows of the brand that it names (decisions 4). */
const ROW_SECURITY = `
  DO $$
  DECLARE t text;
  BEGIN
    FOR t IN SELECT table_name FROM information_schema.columns
             WHERE table_schema = 'vault' AND column_name = 'brand_id' LOOP
      EXECUTE format('ALTER TABLE vault.%I ENABLE ROW LEVEL SECURITY', t);
      EXECUTE format('CREATE POLICY brand ON vault.%I USING (brand_id IS NULL OR app.sees(brand_id))
                      WITH CHECK (brand_id IS NULL OR app.sees(brand_id))', t);
    END LOOP;
  END $$;
`;

/** The role bears the owner's prefix (provision.ts), so that two installations can share a cluster. */
function grants(): string {
  const appendOnly = APPEND_ONLY.map((table) => `vault.${table}`).join(', ');
  return `
  DO $$
  DECLARE role text := regexp_replace(current_user, '_owner$', '_vault');
  BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA vault TO %I', role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA vault TO %I', role);
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON vault.migrations FROM %I', role);
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA vault TO %I', role);
    EXECUTE format('REVOKE UPDATE, DELETE ON ${appendOnly} FROM %I', role);
  END $$;
  `;
}

export class VaultFirst1763722800000 implements MigrationInterface {
  name = 'VaultFirst1763722800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of FIRST_VAULT_TABLES) await runner.query(statement);
    await runner.query(TRIGGERS);
    await runner.query(ROW_SECURITY);
    await runner.query(grants());
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = FIRST_VAULT_TABLES.map(
      (sql) => /^CREATE TABLE ("vault"\."\w+")/.exec(sql)?.[1],
    ).filter(Boolean);
    await runner.query(`DROP TABLE ${tables.join(', ')} CASCADE`);
    await runner.query(`DROP FUNCTION vault.tell()`);
  }
}
