import type { MigrationInterface, QueryRunner } from 'typeorm';
import { FIRST_TABLES } from './first-tables.js';

/** Rows are never changed or deleted, whatever a service's role tries. */
const APPEND_ONLY = [
  'audit_log',
  'lane_events',
  'rollout_transitions',
  'approvals',
  'snap_revisions',
];

/** What a policy snapshot is compiled from: a change raises the brand's policy version, whoever makes it. */
const POLICY_INPUTS = [
  'snaps',
  'snap_revisions',
  'lanes',
  'lane_events',
  'fleets',
  'fleet_members',
  'fleet_baselines',
  'rollouts',
  'waves',
  'holds',
  'pins',
  'floors',
  'emergency_stops',
  'brand_stores',
  'store_inclusions',
];

/** Table → channel told of each insert (payload: the brand, or nothing). */
const TOLD: Readonly<Record<string, string>> = {
  outbox: 'outbox',
  policy_snapshots: 'policy',
  device_revocations: 'overlay',
  emergency_stops: 'overlay',
};

const FUNCTIONS = `
  CREATE FUNCTION store.raise_policy_version() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE raised record;
  BEGIN
    FOR raised IN
      INSERT INTO store.policy_versions AS known (brand_id, version)
        SELECT DISTINCT brand_id, 1 FROM changed ORDER BY brand_id
        ON CONFLICT (brand_id) DO UPDATE SET version = known.version + 1
        RETURNING known.brand_id, known.version
    LOOP
      INSERT INTO store.outbox (job, payload)
        VALUES ('compile-policy', jsonb_build_object('brandId', raised.brand_id, 'version', raised.version));
    END LOOP;
    RETURN NULL;
  END $$;

  CREATE FUNCTION store.tell() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_notify(TG_ARGV[0], coalesce(to_jsonb(NEW) ->> 'brand_id', ''));
    RETURN NULL;
  END $$;
`;

export class First1763700000000 implements MigrationInterface {
  name = 'First1763700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    for (const statement of FIRST_TABLES) await runner.query(statement);
    await runner.query(FUNCTIONS);
    for (const table of POLICY_INPUTS) await runner.query(policyTriggers(table));
    for (const [table, channel] of Object.entries(TOLD)) {
      await runner.query(
        `CREATE TRIGGER tell AFTER INSERT OR UPDATE ON store.${table} FOR EACH ROW EXECUTE FUNCTION store.tell('${channel}')`,
      );
    }
    await runner.query(ROW_SECURITY);
    await runner.query(grants());
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = FIRST_TABLES.map(
      (sql) => /^CREATE TABLE ("store"\."\w+")/.exec(sql)?.[1],
    ).filter(Boolean);
    await runner.query(`DROP TABLE ${tables.join(', ')} CASCADE`);
    await runner.query(`DROP FUNCTION store.raise_policy_version(), store.tell()`);
  }
}

function policyTriggers(table: string): string {
  return (['INSERT:NEW', 'UPDATE:NEW', 'DELETE:OLD'] as const)
    .map((event) => {
      const [verb = '', rows = ''] = event.split(':');
      return `CREATE TRIGGER policy_${verb.toLowerCase()} AFTER ${verb} ON store.${table}
        REFERENCING ${rows} TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION store.raise_policy_version();`;
    })
    .join('\n');
}

/**
 * Every table with a brand shows a service only the rows of the brand that its transaction names (decisions 4).
 * The owner, who only migrates, is exempt.
 */
const ROW_SECURITY = `
  DO $$
  DECLARE t text;
  BEGIN
    FOR t IN SELECT table_name FROM information_schema.columns
             WHERE table_schema = 'store' AND column_name = 'brand_id' LOOP
      EXECUTE format('ALTER TABLE store.%I ENABLE ROW LEVEL SECURITY', t);
      EXECUTE format('CREATE POLICY brand ON store.%I USING (brand_id IS NULL OR app.sees(brand_id))
                      WITH CHECK (brand_id IS NULL OR app.sees(brand_id))', t);
    END LOOP;
  END $$;
`;

/** The roles bear the owner's prefix (provision.ts), so that two installations can share a cluster. */
function grants(): string {
  const appendOnly = APPEND_ONLY.map((table) => `store.${table}`).join(', ');
  return `
  DO $$
  DECLARE role text;
  BEGIN
    FOREACH role IN ARRAY ARRAY['_store', '_worker'] LOOP
      role := regexp_replace(current_user, '_owner$', role);
      EXECUTE format('GRANT USAGE ON SCHEMA store TO %I', role);
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA store TO %I', role);
      EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON store.migrations FROM %I', role);
      EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA store TO %I', role);
      EXECUTE format('REVOKE UPDATE, DELETE ON ${appendOnly} FROM %I', role);
      EXECUTE format('GRANT UPDATE (yanked_at, yank_reason) ON store.snap_revisions TO %I', role);
    END LOOP;
  END $$;
  `;
}
