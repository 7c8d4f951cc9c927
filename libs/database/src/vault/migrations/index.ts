export const vaultMigrations: (new () => import('typeorm').MigrationInterface)[] = [];
