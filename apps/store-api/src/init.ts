import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Database } from '#libs/database';
import { initialise, makeRootKeys } from '#libs/operations';
import { postgresUrlNow, postgresUrlOrLater, readConfig, wholeNumber } from '#libs/runtime';

/** What makes an installation reads; besides it, what the store-api itself reads is in the environment too. */
const initConfig = {
  config: z.object({
    MASTER_KEY_FILE: z.string().refine(existsSync, 'there is no such file'),
    ROOT_KEY_FILE: z.string().optional(),
    TRUSTED_FILE: z.string().optional(),
    OPERATOR_EMAIL: z.email().default('operator@store.invalid'),
    OPERATOR_USERNAME: z
      .string()
      .regex(/^[-a-z0-9]{2,28}$/, 'must be 2 to 28 of a-z, 0-9 and -')
      .default('operator'),
    OPERATOR_NAME: z.string().max(100).default('Store operator'),
    /** Length of root and store key; less than 4096 only where they are thrown away (assertions.md 14). */
    KEY_BITS: wholeNumber(2048, 8192).default(4096),
  }),
  secrets: z.object({ DATABASE_URL: postgresUrlOrLater() }),
};

/** Makes the installation where there is none, and says so in one line of JSON; run again, it changes nothing. */
async function main(): Promise<void> {
  const { config, secrets } = readConfig(initConfig, process.env);
  const folder = dirname(config.MASTER_KEY_FILE);
  const trustedFile = config.TRUSTED_FILE ?? join(folder, 'root.assertions');
  const order = {
    masterKeyFile: config.MASTER_KEY_FILE,
    rootKeyFile: config.ROOT_KEY_FILE ?? join(folder, 'root-key.sealed'),
    keyBits: config.KEY_BITS,
  };
  const isNew = !existsSync(order.rootKeyFile) && !existsSync(trustedFile);
  const rootKeys = isNew ? makeRootKeys(order) : undefined;
  // Told by `initialise`, if they are needed.
  rootKeys?.catch(() => undefined);
  try {
    const url = await postgresUrlNow(secrets.DATABASE_URL.reveal(), process.stdin);
    const db = await Database.open({ url, room: 'store', applicationName: 'store-init' });
    try {
      await initialise(
        {
          db,
          ...order,
          ...(rootKeys && { rootKeys }),
          trustedFile,
          operatorEmail: config.OPERATOR_EMAIL.toLowerCase(),
          username: config.OPERATOR_USERNAME,
          displayName: config.OPERATOR_NAME,
        },
        (report) => write(`${JSON.stringify(report)}\n`),
      );
    } finally {
      await db.close();
    }
  } finally {
    const keys = await rootKeys?.catch(() => undefined);
    await keys?.discard();
  }
}

const write = (line: string): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(line, (error) => (error ? reject(error) : resolve()));
  });

try {
  await main();
} catch (error) {
  process.stderr.write(`init: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
