import type { Type } from '@nestjs/common';
import { Field, ObjectType } from '@nestjs/graphql';
import { OperationError } from '#libs/operations';

@ObjectType('PageInfo')
export class PageInfoType {
  @Field(() => String, { nullable: true, description: 'Give it as `after` for the next page.' })
  endCursor!: string | null;
  @Field(() => Boolean) hasNextPage!: boolean;
}

/** The form of most keys. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

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

/** A list by pages, as GraphQL clients know it. */
export interface Connection<T> {
  readonly edges: readonly { readonly node: T; readonly cursor: string }[];
  readonly pageInfo: PageInfoType;
}

/** The types `<name>Edge` and `<name>Connection` of a list by pages; `order` says in words how it is sorted. */
export function connectionOf(node: () => Type, name: string, order?: string): Type {
  @ObjectType(`${name}Edge`)
  class Edge {
    @Field(node) node!: unknown;
    @Field(() => String) cursor!: string;
  }
  @ObjectType(`${name}Connection`)
  class Connected {
    @Field(() => [Edge], order === undefined ? {} : { description: order }) edges!: Edge[];
    @Field(() => PageInfoType) pageInfo!: PageInfoType;
  }
  return Connected;
}

/** A page of rows as a connection. */
export function connection<T>(
  rows: readonly T[],
  hasNextPage: boolean,
  keyOf: (row: T) => string | number,
): Connection<T> {
  const edges = rows.map((node) => ({ node, cursor: toCursor(keyOf(node)) }));
  return { edges, pageInfo: { hasNextPage, endCursor: edges.at(-1)?.cursor ?? null } };
}
