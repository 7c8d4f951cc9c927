import {
  defaultFieldResolver,
  getNamedType,
  isUnionType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
} from 'graphql';
import type { AdminContext } from './context.js';
import { toOutcome } from './outcomes.js';
import { requirePermission } from './permissions.js';

/** Fields in which somebody who is not logged in may be told why not, as a member of the result. */
const DOORS = new Set(['login', 'acceptInvitation']);

type Field = GraphQLField<unknown, AdminContext, Record<string, unknown>>;
type Resolve = GraphQLFieldResolver<unknown, AdminContext, Record<string, unknown>>;

/**
 * Stands before every field of Query, Mutation and Subscription: looks the permission up, and turns refusals into members of the result
 * where the result has such a member. Done to the schema itself, so that no resolver can be forgotten.
 */
export function gateFields(schema: GraphQLSchema): GraphQLSchema {
  for (const type of [schema.getQueryType(), schema.getMutationType()]) {
    const fields: Record<string, Field> = type?.getFields() ?? {};
    for (const field of Object.values(fields))
      field.resolve = gated(`${type?.name}.${field.name}`, field);
  }
  const told: Record<string, Field> = schema.getSubscriptionType()?.getFields() ?? {};
  for (const field of Object.values(told)) watch(`Subscription.${field.name}`, field);
  return schema;
}

/**
 * A subscription is let in as a query is, and asked again before each event and every few seconds: whose login or role is
 * over hears no more (update-control.md 2.11). Its source gives null where there is nothing new.
 */
function watch(name: string, field: Field): void {
  const { subscribe, resolve = defaultFieldResolver } = field;
  if (subscribe === undefined) throw new Error(`internal error: nobody feeds ${name}`);
  field.subscribe = async (source, args, context, info) => {
    const enter = async (): Promise<void> => {
      context.principal = await context.recognise(context._connectionInit);
      await requirePermission(name, args, context.principal, context.findSubject);
    };
    await enter();
    const news = (await subscribe(source, args, context, info)) as AsyncIterable<unknown>;
    return told(field.name, news, enter);
  };
  field.resolve = (payload, args, context, info) => {
    // What was loaded for the event before is not true any more.
    context.loaders = context.newLoaders();
    return resolve(payload, args, context, info);
  };
}

async function* told(
  name: string,
  news: AsyncIterable<unknown>,
  enter: () => Promise<void>,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  for await (const one of news) {
    await enter();
    if (one !== null) yield { [name]: one };
  }
}

function gated(name: string, field: Field): Resolve {
  const resolve: Resolve = field.resolve ?? defaultFieldResolver;
  const hasMembers = isUnionType(getNamedType(field.type));
  return async (source, args, context, info) => {
    try {
      await requirePermission(name, args, context.principal, context.findSubject);
      return await resolve(source, args, context, info);
    } catch (error) {
      const outcome = toOutcome(error);
      // Without login everything is the same error, whatever the field would answer.
      const isExpected = context.principal !== null || DOORS.has(field.name);
      if (outcome !== null && isExpected && hasMembers) return outcome;
      throw error;
    }
  };
}
