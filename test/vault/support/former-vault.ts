import { Client, type Connection, type Submittable } from 'pg';

/** The tables of the former vault that an import reads, and one of those that it leaves, as its servers make them. */
const TABLES = `
  CREATE TABLE account (id serial PRIMARY KEY, authority_id varchar(200) NOT NULL UNIQUE, assertion text DEFAULT '', resellerapi bool DEFAULT false);
  CREATE TABLE keypair (id serial PRIMARY KEY, authority_id varchar(200) NOT NULL, key_id varchar(200) NOT NULL, active boolean DEFAULT true,
    sealed_key text, assertion text DEFAULT '', key_name varchar(200) DEFAULT '');
  CREATE TABLE model (id serial PRIMARY KEY, brand_id varchar(200) NOT NULL, name varchar(200) NOT NULL, keypair_id int NOT NULL REFERENCES keypair,
    user_keypair_id int NOT NULL REFERENCES keypair, api_key varchar(200) NOT NULL);
  CREATE TABLE signinglog (id serial PRIMARY KEY, make varchar(200) NOT NULL, model varchar(200) NOT NULL, serial_number varchar(200) NOT NULL,
    fingerprint varchar(200) NOT NULL, created timestamp DEFAULT current_timestamp, revision int DEFAULT 1, synced int DEFAULT 0);
  CREATE TABLE substore (id serial PRIMARY KEY, account_id int NOT NULL REFERENCES account, from_model_id int NOT NULL REFERENCES model,
    store varchar(200) NOT NULL, serial_number varchar(200) NOT NULL, model_name varchar(200) NOT NULL);
  CREATE TABLE userinfo (id serial PRIMARY KEY, username varchar(200) NOT NULL, name varchar(200), email varchar(255) NOT NULL, userrole int NOT NULL, api_key varchar(200) NOT NULL);
`;
const NAMES = ['account', 'keypair', 'model', 'signinglog', 'substore', 'userinfo'];

export type FormerRows = Readonly<
  Record<string, readonly Readonly<Record<string, string | number | boolean | null>>[]>
>;

/** What pg_dump writes of these rows: real tables in a database of the test, read by Postgres's own COPY. */
export async function dumpOf(ownerUrl: string, rows: FormerRows): Promise<string> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query('BEGIN; CREATE SCHEMA former; SET LOCAL search_path = former');
    await client.query(TABLES);
    for (const [table, some] of Object.entries(rows))
      await client.query(
        `INSERT INTO ${table} SELECT (jsonb_populate_record(NULL::${table}, value)).* FROM jsonb_array_elements($1::jsonb)`,
        [JSON.stringify(some)],
      );
    const blocks: string[] = [];
    for (const table of NAMES) {
      const columns = (await client.query(`SELECT * FROM ${table} LIMIT 0`)).fields;
      const list = columns.map(({ name }) => name).join(', ');
      const copied = await copyOf(client, `COPY ${table} (${list}) TO STDOUT`);
      blocks.push(`COPY public.${table} (${list}) FROM stdin;\n${copied}\\.\n`);
    }
    return `-- PostgreSQL database dump\n\nSET client_encoding = 'UTF8';\n${TABLES}\n${blocks.join('\n\n')}\n--\n-- PostgreSQL database dump complete\n--\n`;
  } finally {
    await client.query('ROLLBACK');
    await client.end();
  }
}

/** What a COPY sends; the driver has no call of its own for it. */
function copyOf(client: Client, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const query = {
      submit: (connection: Connection) => connection.query(text),
      handleCopyData: ({ chunk }: { chunk: Buffer }) => void chunks.push(chunk),
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => resolve(Buffer.concat(chunks).toString()),
      handleError: (error: Error) => reject(error),
    };
    client.query(query as Submittable);
  });
}
