import { readFileSync } from 'node:fs';
import {
  buildSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  isUnionType,
  isLeafType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';

/** A field of Query or Mutation, as a document with variables that hold for any schema. */
export interface Call {
  /** `Query.brand` */
  readonly field: string;
  readonly document: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly hasBrand: boolean;
}

/** What names nothing that there is. */
export const NOTHING = '00000000-0000-4000-8000-000000000000';

const SCALARS: Readonly<Record<string, unknown>> = {
  ID: NOTHING,
  String: 'x',
  Int: 1,
  Float: 1,
  Boolean: true,
  JSON: {},
  Instant: '2999-01-01T00:00:00Z',
  DateTime: '2999-01-01T00:00:00Z',
};

/** The least value that GraphQL takes for a type: what is not required is left out. */
export function dummyOf(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return dummyOf(type.ofType);
  if (isListType(type)) return [dummyOf(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type))
    return Object.fromEntries(
      Object.values(type.getFields())
        .filter(isRequiredInputField)
        .map((field) => [field.name, dummyOf(field.type)]),
    );
  if (!(type.name in SCALARS)) throw new Error(`cannot make a value of ${type.name}: add it`);
  return SCALARS[type.name];
}

function toCall(operation: 'Query' | 'Mutation', field: GraphQLField<unknown, unknown>): Call {
  const args = field.args.filter(isRequiredArgument);
  const declared = args.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const passed = args.map(({ name }) => `${name}: $${name}`).join(', ');
  const type = getNamedType(field.type);
  const selection = isLeafType(type)
    ? ''
    : isUnionType(type)
      ? '{ __typename ... on Forbidden { message } ... on NotFound { message } }'
      : '{ __typename }';
  const head = `${operation.toLowerCase()} ${args.length > 0 ? `(${declared})` : ''}`;
  const call = `${field.name}${args.length > 0 ? `(${passed})` : ''}`;
  return {
    field: `${operation}.${field.name}`,
    document: `${head} { result: ${call} ${selection} }`,
    variables: Object.fromEntries(args.map((arg) => [arg.name, dummyOf(arg.type)])),
    hasBrand: args.some(({ name }) => name === 'brand'),
  };
}

/** The committed schema of an app. */
export const schemaOf = (app: 'store-api' | 'serial-vault'): GraphQLSchema =>
  buildSchema(readFileSync(new URL(`../../apps/${app}/schema.graphql`, import.meta.url), 'utf8'));

/** Every field of Query and Mutation that there is. What ends a login comes last. */
export function callsOf(app: 'store-api' | 'serial-vault'): Call[] {
  const schema = schemaOf(app);
  const calls = [
    ...Object.values(schema.getQueryType()?.getFields() ?? {}).map((f) => toCall('Query', f)),
    ...Object.values(schema.getMutationType()?.getFields() ?? {}).map((f) => toCall('Mutation', f)),
  ];
  const isEnd = ({ field }: Call): boolean => field === 'Mutation.logout';
  return [...calls.filter((call) => !isEnd(call)), ...calls.filter(isEnd)];
}
