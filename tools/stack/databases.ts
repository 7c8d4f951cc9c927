import pg from 'pg';
import { StackError } from './errors.js';

/** Creates the databases that are missing; safe when two do it at once. `url` must be allowed to. */
export async function ensureDatabases(url: string, names: readonly string[]): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
    const existing = new Set(rows.map((row) => row.datname));
    for (const name of names.filter((wanted) => !existing.has(wanted))) {
      try {
        await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      } catch (error) {
        const { code } = error as { code?: string };
        if (code !== '42P04' && code !== '23505') throw error; // already there
      }
    }
  });
}

/** A real query, as the ready line alone does not prove that we can log in. Returns the server's version. */
export async function waitForQuery(url: string, timeoutMs: number): Promise<string> {
  for (const end = Date.now() + timeoutMs; ;) {
    try {
      return await withClient(url, async (client) => {
        const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
        return rows[0]?.server_version ?? '';
      });
    } catch (error) {
      if (Date.now() >= end) {
        const { hostname, port, pathname } = new URL(url);
        const why =
          error instanceof Error
            ? error.message || String((error as { code?: string }).code)
            : String(error);
        throw new StackError(
          'not-ready',
          `cannot reach Postgres at ${hostname}:${port || 5432}${pathname}: ${why}`,
          {
            cause: error,
          },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {}); // a lost connection also rejects the query under way
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
