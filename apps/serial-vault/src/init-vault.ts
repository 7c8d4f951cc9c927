import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { decodeAssertions } from '#libs/assertions';
import { Database } from '#libs/database';
import { postgresUrl, readConfig, type Env } from '#libs/runtime';
import { TokenService } from './administration/token.service.js';
import { trustRoot } from './trust/import-assertions.js';

const schema = {
  config: z.object({ TRUSTED_FILE: z.string() }),
  secrets: z.object({ DATABASE_URL: postgresUrl() }),
};

/**
 * Makes a vault out of an empty schema: the root that it trusts, from TRUSTED_FILE, and the first admin's token. A second
 * run changes nothing and prints `{}`.
 */
export async function initVault(env: Env): Promise<{ token?: string }> {
  const { config, secrets } = readConfig(schema, env);
  const root = decodeAssertions(await readFile(config.TRUSTED_FILE));
  const db = await Database.open({
    url: secrets.DATABASE_URL.reveal(),
    room: 'vault',
    applicationName: 'serial-vault init',
  });
  try {
    await db.asSystem((tx) => trustRoot(tx, root));
    const made = await new TokenService({ db }).createFirst();
    return made === null ? {} : { token: made.token };
  } finally {
    await db.close();
  }
}
