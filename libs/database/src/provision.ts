import { createHmac } from 'node:crypto';
import { Client } from 'pg';

/** `owner` makes the tables; the others are what processes log in as. None is a superuser (decisions 4). */
export const DATABASE_ROLES = ['owner', 'store', 'worker', 'vault'] as const;
export type DatabaseRole = (typeof DATABASE_ROLES)[number];
export type DatabaseUrls = Readonly<Record<DatabaseRole, string>>;

export interface ProvisionOptions {
  /** A role that may create roles and databases. */
  readonly adminUrl: string;
  readonly database: string;
  /** The passwords of the roles are derived from it. */
  readonly secret: string;
  readonly rolePrefix?: string;
  /** A migrated database to copy (tests). */
  readonly template?: string;
}

export const roleName = (role: DatabaseRole, prefix = 'brandstore'): string => `${prefix}_${role}`;

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Creates the roles and the database where they are missing, and says how each role reaches it. */
export async function provision(options: ProvisionOptions): Promise<DatabaseUrls> {
  const client = new Client({ connectionString: options.adminUrl });
  await client.connect();
  try {
    // Two processes may come up at once; roles belong to the whole cluster.
    await client.query(`SELECT pg_advisory_lock(hashtext('brandstore provision'))`);
    const password = (role: DatabaseRole): string =>
      createHmac('sha256', options.secret).update(`role ${role}`).digest('base64url');
    for (const role of DATABASE_ROLES)
      await ensureRole(client, roleName(role, options.rolePrefix), password(role));
    await ensureDatabase(client, options);
    const entries = DATABASE_ROLES.map((role) => {
      const url = new URL(options.adminUrl);
      url.username = roleName(role, options.rolePrefix);
      url.password = password(role);
      url.pathname = `/${encodeURIComponent(options.database)}`;
      return [role, url.toString()] as const;
    });
    return Object.fromEntries(entries) as unknown as DatabaseUrls;
  } finally {
    await client.end();
  }
}

async function ensureRole(client: Client, name: string, password: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
  const verb = rowCount ? 'ALTER' : 'CREATE';
  await client.query(
    `${verb} ROLE ${identifier(name)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD ${client.escapeLiteral(password)}`,
  );
  // Who creates the database for the owner must be able to act as the owner.
  await client.query(`GRANT ${identifier(name)} TO CURRENT_USER`);
}

async function ensureDatabase(client: Client, options: ProvisionOptions): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [
    options.database,
  ]);
  const owner = identifier(roleName('owner', options.rolePrefix));
  if (rowCount) {
    // Made by somebody else, as a hosted Postgres gives one: the owner must be able to make its schemas.
    await client.query(
      `GRANT CREATE, CONNECT ON DATABASE ${identifier(options.database)} TO ${owner}`,
    );
    return;
  }
  const template = options.template ? ` TEMPLATE ${identifier(options.template)}` : '';
  await client.query(`CREATE DATABASE ${identifier(options.database)} OWNER ${owner}${template}`);
}

/** Drops a database that `provision` made, ending whoever is still connected. */
export async function dropDatabase(adminUrl: string, database: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(`DROP DATABASE IF EXISTS ${identifier(database)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}
