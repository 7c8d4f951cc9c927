import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import { inject } from 'vitest';
import { migrate, provision, type DatabaseUrls } from '#libs/database';
import { makeSeed, type Seed } from '../../tools/installation/index.js';

const SECRET = 'of this run';
const EMPTY = 'test_empty';

/** A database of its own with all tables and nothing in them. Its roles are those of all such databases of the run. */
export async function freshDatabase(
  kind: string,
): Promise<{ readonly database: string; readonly adminUrl: string; readonly urls: DatabaseUrls }> {
  const adminUrl = inject('stackEnv').DATABASE_URL ?? '';
  await once(EMPTY, async () => {
    const { owner } = await provision({ adminUrl, ...rolesOf(EMPTY), database: EMPTY });
    await migrate(owner);
    return {};
  });
  const database = `${kind}_${randomBytes(6).toString('hex')}`;
  const urls = await provision({ adminUrl, ...rolesOf(EMPTY), database, template: EMPTY });
  return { database, adminUrl, urls };
}

const rolesOf = (rolePrefix: string) => ({ rolePrefix, secret: SECRET });

/** An installation to copy, whose keys have so many bits. */
export function seedOf(keyBits: string): Promise<Seed> {
  const { BLOBS_DIR: _shared, ...env } = inject('stackEnv');
  const database = `test_seed_${keyBits}`;
  const dir = join(inject('stackDir'), database);
  const stack = { dir, env, describe: () => [], stop: async () => {} };
  return once(database, () =>
    makeSeed({ stack, dir, database, env: { KEY_BITS: keyBits, BLOBS_DIR: join(dir, 'objects') } }),
  );
}

/** What was made once for all files of the run, whichever of them comes first. */
async function once<T>(name: string, make: () => Promise<T>): Promise<T> {
  const folder = join(inject('stackDir'), 'made-once');
  const file = join(folder, `${name}.json`);
  const known = (): T | null =>
    existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : null;
  const there = known();
  if (there) return there;
  const client = new Client({ connectionString: inject('stackEnv').DATABASE_URL });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [`made once ${name}`]);
    const meanwhile = known();
    if (meanwhile) return meanwhile;
    const made = await make();
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, JSON.stringify(made));
    return made;
  } finally {
    await client.end();
  }
}
