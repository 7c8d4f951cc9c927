import 'reflect-metadata';
import { RequestMethod, type Type } from '@nestjs/common';
import { expect, it } from 'vitest';
import { routeRule } from '#libs/runtime';
import { AdminModule } from '../admin/admin.module.js';
import { PERMISSIONS } from '../admin/permissions.js';
import { DeviceModule } from '../device/device.module.js';
import { PublisherModule } from '../publisher/publisher.module.js';
import { ROUTES } from './routes.js';

const read = <T>(key: string, of: object): T => Reflect.getMetadata(key, of) as T;
const join = (...parts: readonly string[]): string =>
  `/${parts
    .flatMap((part) => part.split('/'))
    .filter(Boolean)
    .join('/')}`;

/** `METHOD /path` of every handler, as the decorators say. */
function routesOf(controller: Type): string[] {
  const base = read<string>('path', controller);
  const prototype = controller.prototype as object;
  const { constructor: _class, ...members } = Object.getOwnPropertyDescriptors(prototype) as Record<
    string,
    PropertyDescriptor
  >;
  return Object.values(members).flatMap(({ value }) => {
    const handler: unknown = value;
    const paths =
      typeof handler === 'function' ? read<string | string[]>('path', handler) : undefined;
    if (paths === undefined) return [];
    const method = RequestMethod[read<RequestMethod>('method', handler as object)];
    return [paths].flat().map((path) => `${method} ${join(base, path)}`);
  });
}

it('a handler has a line in the table of routes, and a line has a handler', () => {
  const served = [DeviceModule, PublisherModule, AdminModule]
    .flatMap((module) => read<Type[]>('controllers', module))
    .flatMap(routesOf);
  const ruled = Object.keys(ROUTES).filter((route) => !route.endsWith(' /graphql'));
  expect([...served].sort()).toEqual([...ruled].sort());
});

it('a route that goes by a field goes by one that asks for a role', () => {
  for (const rule of Object.values(ROUTES))
    if (typeof rule !== 'string') expect(PERMISSIONS[rule.field]).toBeTypeOf('object');
  expect(routeRule(ROUTES, 'HEAD', '/api/v1/brands/:brand/audit-log/')).toEqual({
    field: 'Query.auditLog',
  });
});
