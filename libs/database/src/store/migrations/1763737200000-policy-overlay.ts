import type { MigrationInterface, QueryRunner } from 'typeorm';
import { grantOn, ownedByBrand } from './table-access.js';

/** Table → its function (row → value in the overlay, null: not there). Whatever else must act in seconds is a row here. */
const IN_OVERLAY: Readonly<Record<string, string>> = {
  emergency_stops: 'stop_in_overlay',
  rollouts: 'rollout_in_overlay',
};

const VALUES = `
  CREATE FUNCTION store.stop_in_overlay(s store.emergency_stops) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN s.lifted_at IS NULL THEN jsonb_build_object(
      'id', s.id, 'brandId', s.brand_id, 'scope', s.scope, 'fleetId', s.fleet_id, 'snapId', s.snap_id,
      'revision', s.revision, 'rolloutId', s.rollout_id, 'level', s.level, 'reason', s.reason,
      'target', (SELECT jsonb_build_object('fleetId', r.fleet_id, 'snapId', r.snap_id, 'revisions',
                   (SELECT coalesce(jsonb_agg(DISTINCT t.value), '[]') FROM jsonb_each(r.plan #> '{target,revisions}') t))
                 FROM store.rollouts r WHERE r.id = s.rollout_id)) END
  $$;
  CREATE FUNCTION store.rollout_in_overlay(r store.rollouts) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN r.state IN ('ACTIVE', 'PAUSED', 'COMPLETING') THEN jsonb_build_object(
      'id', r.id, 'state', r.state, 'activeMs', r.active_ms,
      'activeSince', (extract(epoch FROM r.active_since) * 1000)::bigint,
      'leaseUntil', (extract(epoch FROM r.lease_until) * 1000)::bigint) END
  $$;
`;

const RAISING = `
  CREATE FUNCTION store.raise_overlay(brand text, subject text, value jsonb) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE raised bigint;
  BEGIN
    INSERT INTO store.overlay_versions AS known (brand_id, version, stamp) VALUES (brand, 1, gen_random_uuid())
      ON CONFLICT (brand_id) DO UPDATE SET version = known.version + 1, stamp = gen_random_uuid()
      RETURNING known.version INTO raised;
    INSERT INTO store.overlay_events (brand_id, version, subject, value) VALUES (brand, raised, subject, value);
    PERFORM pg_notify('policy-overlay', brand);
  END $$;

  CREATE FUNCTION store.record_in_overlay() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE before jsonb; after jsonb; subject jsonb;
  BEGIN
    IF TG_OP <> 'INSERT' THEN
      EXECUTE format('SELECT store.%I($1)', TG_ARGV[0]) INTO before USING OLD;
      subject := to_jsonb(OLD);
    END IF;
    IF TG_OP <> 'DELETE' THEN
      EXECUTE format('SELECT store.%I($1)', TG_ARGV[0]) INTO after USING NEW;
      subject := to_jsonb(NEW);
    END IF;
    IF before IS DISTINCT FROM after THEN
      PERFORM store.raise_overlay(subject ->> 'brand_id', TG_TABLE_NAME || ':' || (subject ->> 'id'), after);
    END IF;
    RETURN NULL;
  END $$;
`;

/** A rollout belongs to the snapshot while it is live; its state and its clock are the overlay's. */
const POLICY_OF_ROLLOUTS = `
  CREATE FUNCTION store.raise_policy_versions(brands text[]) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE raised record;
  BEGIN
    FOR raised IN
      INSERT INTO store.policy_versions AS known (brand_id, version)
        SELECT brand, 1 FROM unnest(brands) AS brand ORDER BY brand
        ON CONFLICT (brand_id) DO UPDATE SET version = known.version + 1
        RETURNING known.brand_id, known.version
    LOOP
      INSERT INTO store.outbox (job, payload)
        VALUES ('compile-policy', jsonb_build_object('brandId', raised.brand_id, 'version', raised.version));
    END LOOP;
  END $$;

  CREATE FUNCTION store.raise_policy_version_of_rollouts() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE live text[] := '{ACTIVE,PAUSED,COMPLETING}';
  BEGIN
    IF TG_OP = 'UPDATE' THEN
      PERFORM store.raise_policy_versions(array_agg(DISTINCT n.brand_id)) FROM changed n JOIN before o USING (id)
        WHERE (n.state = ANY (live)) <> (o.state = ANY (live))
          OR (n.state = ANY (live) AND (n.name, n.fleet_id, n.lane_id, n.salt, n.plan)
               IS DISTINCT FROM (o.name, o.fleet_id, o.lane_id, o.salt, o.plan))
        HAVING count(*) > 0;
    ELSE
      PERFORM store.raise_policy_versions(array_agg(DISTINCT brand_id)) FROM changed
        WHERE state = ANY (live) HAVING count(*) > 0;
    END IF;
    RETURN NULL;
  END $$;

  DROP TRIGGER policy_insert ON store.rollouts;
  DROP TRIGGER policy_update ON store.rollouts;
  DROP TRIGGER policy_delete ON store.rollouts;
  CREATE TRIGGER policy_insert AFTER INSERT ON store.rollouts REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION store.raise_policy_version_of_rollouts();
  CREATE TRIGGER policy_update AFTER UPDATE ON store.rollouts REFERENCING OLD TABLE AS before NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION store.raise_policy_version_of_rollouts();
  CREATE TRIGGER policy_delete AFTER DELETE ON store.rollouts REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION store.raise_policy_version_of_rollouts();
`;

const STOPS_ARE_NO_POLICY = `
  DROP TRIGGER policy_insert ON store.emergency_stops;
  DROP TRIGGER policy_update ON store.emergency_stops;
  DROP TRIGGER policy_delete ON store.emergency_stops;
  DROP TRIGGER tell ON store.emergency_stops;
`;

/**
 * What must reach every process in seconds, versioned apart from the policy: a stop, a pause and a lease need no
 * compilation (update-control.md 3.3). The triggers run at commit, so the version's lock is short and always the last one.
 */
export class PolicyOverlay1763737200000 implements MigrationInterface {
  name = 'PolicyOverlay1763737200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(
      `ALTER TABLE "store"."policy_snapshots" ADD "resolver_version" integer NOT NULL DEFAULT '1'`,
    );
    await runner.query(
      `CREATE TABLE "store"."overlay_versions" ("brand_id" text NOT NULL, "version" bigint NOT NULL, "stamp" uuid NOT NULL, CONSTRAINT "PK_overlay_versions" PRIMARY KEY ("brand_id"))`,
    );
    await runner.query(
      `CREATE TABLE "store"."overlay_events" ("brand_id" text NOT NULL, "version" bigint NOT NULL, "subject" text NOT NULL, "value" jsonb, "at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT app.now(), CONSTRAINT "PK_overlay_events" PRIMARY KEY ("brand_id", "version"))`,
    );
    await runner.query(
      `ALTER TABLE "store"."overlay_versions" ADD CONSTRAINT "FK_6d1995ecb0f3c49e2289bc30ce9" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "store"."overlay_events" ADD CONSTRAINT "FK_814e132cd8bbad416a496b9c0fa" FOREIGN KEY ("brand_id") REFERENCES "store"."accounts"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    );
    for (const table of ['overlay_versions', 'overlay_events']) {
      await runner.query(ownedByBrand([table]));
    }
    await runner.query(GRANTS);
    await runner.query(VALUES);
    await runner.query(RAISING);
    await runner.query(POLICY_OF_ROLLOUTS);
    await runner.query(STOPS_ARE_NO_POLICY);
    for (const [table, value] of Object.entries(IN_OVERLAY)) {
      await runner.query(`
        CREATE CONSTRAINT TRIGGER overlay AFTER INSERT OR UPDATE OR DELETE ON store.${table}
          DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION store.record_in_overlay('${value}')`);
      await runner.query(`
        SELECT store.raise_overlay(t.brand_id, '${table}:' || t.id, store.${value}(t)) FROM store.${table} t
        WHERE store.${value}(t) IS NOT NULL`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of Object.keys(IN_OVERLAY))
      await runner.query(`DROP TRIGGER overlay ON store.${table}`);
    await runner.query(`
      CREATE TRIGGER tell AFTER INSERT OR UPDATE ON store.emergency_stops
        FOR EACH ROW EXECUTE FUNCTION store.tell('overlay')`);
    for (const name of ['policy_insert', 'policy_update', 'policy_delete'])
      await runner.query(`DROP TRIGGER ${name} ON store.rollouts`);
    for (const table of Object.keys(IN_OVERLAY))
      for (const [verb, rows] of Object.entries({ INSERT: 'NEW', UPDATE: 'NEW', DELETE: 'OLD' }))
        await runner.query(`
          CREATE TRIGGER policy_${verb.toLowerCase()} AFTER ${verb} ON store.${table}
            REFERENCING ${rows} TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION store.raise_policy_version()`);
    await runner.query(`
      DROP FUNCTION store.record_in_overlay(), store.raise_overlay(text, text, jsonb),
        store.stop_in_overlay(store.emergency_stops), store.rollout_in_overlay(store.rollouts),
        store.raise_policy_version_of_rollouts(), store.raise_policy_versions(text[])`);
    await runner.query(`DROP TABLE "store"."overlay_events", "store"."overlay_versions"`);
    await runner.query(`ALTER TABLE "store"."policy_snapshots" DROP COLUMN "resolver_version"`);
  }
}

/** The history is append-only. */
const GRANTS =
  grantOn(['overlay_versions'], 'SELECT, INSERT, UPDATE') +
  grantOn(['overlay_events'], 'SELECT, INSERT');
