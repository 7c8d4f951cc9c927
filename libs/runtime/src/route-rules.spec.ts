import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { requireRouteRules, routeRule } from './route-rules.js';

const rules = { 'GET /one': 'anyone', 'ALL /rest/*': 'nobody' };

describe('the rules of routes', () => {
  it('are found for both slash forms, for HEAD as for GET, and for all methods of a family', () => {
    const find = (method: string, path: string) => routeRule(rules, method, path);
    expect([find('GET', '/one'), find('GET', '/one/'), find('HEAD', '/one')]).toEqual([
      'anyone',
      'anyone',
      'anyone',
    ]);
    expect([find('PUT', '/rest/*'), find('POST', '/one'), find('GET', '/two')]).toEqual([
      'nobody',
      undefined,
      undefined,
    ]);
  });

  it('let no route in that has none', () => {
    const app = fastify();
    requireRouteRules(app, rules);
    app.get('/one', () => 'one');
    expect(() => app.post('/one', () => 'one')).toThrow('cannot serve POST /one: no rule');
    expect(() => app.get('/two', () => 'two')).toThrow('cannot serve GET /two');
  });
});
