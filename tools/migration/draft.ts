import { drift, dropDatabase, migrate, provision, type Room } from '#libs/database';

/**
 * Prints the statements that bring a migrated database to what the entities say: the raw material of a new migration,
 * to be edited by hand (house 2.7). `main(['store'])` with ADMIN_URL set.
 */
export async function main(args: string[]): Promise<number> {
  const adminUrl = process.env.ADMIN_URL ?? '';
  const room: Room = args[0] === 'vault' ? 'vault' : 'store';
  const database = `draft_${process.pid}`;
  const urls = await provision({ adminUrl, database, secret: 'draft' });
  try {
    await migrate(urls.owner);
    for (const statement of await drift(urls.owner, room)) console.log(`${statement};`);
  } finally {
    await dropDatabase(adminUrl, database);
  }
  return 0;
}
