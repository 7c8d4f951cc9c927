import type { FastifyInstance, RouteOptions } from 'fastify';

/** Rules of one surface by `METHOD /path`, as Fastify writes paths; `ALL /path` is for every method that has no line of its own. */
export type RouteRules<Rule> = Readonly<Record<string, Rule>>;

/** The rule of a route; a slash at the end makes no other route of it, and HEAD is as GET. */
export function routeRule<Rule>(
  rules: RouteRules<Rule>,
  method: string,
  path: string,
): Rule | undefined {
  const url = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  return rules[`${method === 'HEAD' ? 'GET' : method} ${url}`] ?? rules[`ALL ${url}`];
}

/**
 * From now on a route that has no rule cannot be registered: the process does not start. Call it before routes are made.
 */
export function requireRouteRules(fastify: FastifyInstance, rules: RouteRules<unknown>): void {
  fastify.addHook('onRoute', ({ method, url }: RouteOptions) => {
    for (const each of [method].flat())
      if (routeRule(rules, each, url) === undefined)
        throw new Error(`cannot serve ${each} ${url}: no rule says who may`);
  });
}
