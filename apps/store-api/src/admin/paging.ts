import { Field, ObjectType } from '@nestjs/graphql';
import { OperationError } from '#libs/operations';

@ObjectType('PageInfo')
export class PageInfoType {
  @Field(() => String, { nullable: true, description: 'Give it as `after` for the next page.' })
  endCursor!: string | null;
  @Field(() => Boolean) hasNextPage!: boolean;
}

/** How many rows one page may have. */
const LARGEST = 500;

/** The page size that was asked for, or 50; throws `invalid`. */
export function pageSize(first: number | null | undefined): number {
  const size = first ?? 50;
  if (!Number.isInteger(size) || size < 1 || size > LARGEST)
    throw new OperationError('invalid', `cannot give ${size} rows: 1 to ${LARGEST}`, {
      paths: ['first'],
    });
  return size;
}

/** Cursors are opaque to clients: today the key of the last row. */
const toCursor = (key: string | number): string => Buffer.from(String(key)).toString('base64url');

/** The key behind a cursor of ours, matching `form`; throws `invalid` for others. */
export function fromCursor(cursor: string | null | undefined, form: RegExp): string | null {
  if (cursor === null || cursor === undefined) return null;
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!form.test(key))
    throw new OperationError('invalid', 'cannot read the cursor', { paths: ['after'] });
  return key;
}

/** A page of rows as GraphQL clients know it. */
export function connection<T>(
  rows: readonly T[],
  hasNextPage: boolean,
  keyOf: (row: T) => string | number,
): { edges: { node: T; cursor: string }[]; pageInfo: PageInfoType } {
  const edges = rows.map((node) => ({ node, cursor: toCursor(keyOf(node)) }));
  return { edges, pageInfo: { hasNextPage, endCursor: edges.at(-1)?.cursor ?? null } };
}
