const documents: string[] = [];

/** All documents for the vault; a test checks them against its schema. */
export const allVaultDocuments: readonly string[] = documents;

/** The expected refusals of every mutation of the vault. */
export const VAULT_REFUSALS = `
  ... on Invalid { message problems { path message } }
  ... on Forbidden { message }
  ... on NotFound { message }
  ... on Conflict { message }`;

/** As `graphql` for the store. */
export function vaultGraphql(texts: TemplateStringsArray, ...parts: readonly string[]): string {
  const document = String.raw({ raw: texts }, ...parts);
  documents.push(document);
  return document;
}
