/** What the store and the worker may do with a table; nothing else may touch it. */
export type TableRights =
  | 'SELECT, INSERT'
  | 'SELECT, INSERT, DELETE'
  | 'SELECT, INSERT, UPDATE'
  | 'SELECT, INSERT, UPDATE, DELETE';

/** SQL that lets store and worker do so much with tables of the room `store`. Their roles bear the owner's prefix (provision.ts). */
export function grantOn(tables: readonly string[], rights: TableRights): string {
  const names = tables.map((table) => `store.${table}`).join(', ');
  return `DO $$
    DECLARE role text;
    BEGIN
      FOREACH role IN ARRAY ARRAY['_store', '_worker'] LOOP
        role := regexp_replace(current_user, '_owner$', role);
        EXECUTE format('GRANT ${rights} ON ${names} TO %I', role);
      END LOOP;
    END $$;`;
}

/** SQL that shows the rows of tables to the brand in their `brand_id` only (decisions 4). */
export function ownedByBrand(tables: readonly string[]): string {
  return tables
    .map(
      (table) => `ALTER TABLE store.${table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY brand ON store.${table} USING (app.sees(brand_id)) WITH CHECK (app.sees(brand_id));`,
    )
    .join('\n');
}
