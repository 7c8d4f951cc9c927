import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

function readInstant(value: unknown): Date {
  const date = typeof value === 'string' && RFC3339.test(value) ? new Date(value) : null;
  if (date === null || Number.isNaN(date.getTime()))
    throw new GraphQLError(
      `cannot read ${JSON.stringify(value)} as a time: use 2026-01-31T08:00:00Z`,
    );
  return date;
}

/** An instant. Answers under a repeated idempotency key come from JSON, so texts are written as well as dates. */
export const Instant = new GraphQLScalarType<Date, string>({
  name: 'Instant',
  description: 'A point in time, RFC 3339 in UTC, such as 2026-01-31T08:00:00Z.',
  serialize: (value) => (value instanceof Date ? value : readInstant(value)).toISOString(),
  parseValue: readInstant,
  parseLiteral: (node) => {
    if (node.kind !== Kind.STRING) throw new GraphQLError('cannot read a time that is not a text');
    return readInstant(node.value);
  },
});

function readLiteral(node: ValueNode, variables: Record<string, unknown>): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.BOOLEAN:
    case Kind.STRING:
    case Kind.ENUM:
      return node.value;
    case Kind.LIST:
      return node.values.map((value) => readLiteral(value, variables));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [name.value, readLiteral(value, variables)]),
      );
    case Kind.VARIABLE:
      return variables[node.name.value];
  }
}

/** Plans, predicates and evidence: shapes that `libs/update-control` checks itself. */
export const Json = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => readLiteral(node, variables ?? {}),
});
