/** App → prints its GraphQL schema. */
export const SCHEMAS: Readonly<Record<string, () => Promise<string>>> = {
  'store-api': async () => {
    const { printAdminSchema } =
      await import('../../apps/store-api/src/admin/print-admin-schema.js');
    return printAdminSchema();
  },
  'serial-vault': async () => {
    const { printVaultSchema } =
      await import('../../apps/serial-vault/src/graphql/print-schema.js');
    return printVaultSchema();
  },
};
