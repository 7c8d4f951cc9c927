import { drift, migrate, migrateDown, provision, type Room } from '#libs/database';
import { startStack } from '#stack';

const ROOMS: readonly Room[] = ['store', 'vault'];

/** `npm run migration:check`: an empty database goes up, matches the entities, goes down, and up again. */
export async function main(): Promise<number> {
  const stack = await startStack({ ephemeral: true });
  try {
    const { owner } = await provision({
      adminUrl: stack.env.DATABASE_URL ?? '',
      database: 'migration_check',
      secret: 'check',
    });
    console.log(`up: ${(await migrate(owner)).join(', ')}`);
    let statements = 0;
    for (const room of ROOMS) {
      for (const statement of await drift(owner, room)) {
        statements += 1;
        console.log(`${room} drifts: ${statement}`);
      }
    }
    await migrateDown(owner);
    console.log(`down and up again: ${(await migrate(owner)).length} migrations`);
    console.log(statements === 0 ? 'no drift' : `${statements} statements of drift`);
    return statements === 0 ? 0 : 1;
  } finally {
    await stack.stop();
  }
}
