const documents: string[] = [];

/** All documents of the commands that are loaded; a test checks them against the store's schema. */
export const allDocuments: readonly string[] = documents;

/** The expected refusals of every mutation's result (decisions 25). */
export const REFUSALS = `
  ... on Invalid { message problems { path message } }
  ... on Forbidden { message }
  ... on NotFound { message }
  ... on Conflict { message current }`;

/** A GraphQL document. Mutations name one field, ask for its `__typename` and hold `${REFUSALS}`. */
export function graphql(texts: TemplateStringsArray, ...parts: readonly string[]): string {
  const document = String.raw({ raw: texts }, ...parts);
  documents.push(document);
  return document;
}
