import { afterAll, beforeAll, expect, it } from 'vitest';
import { inParallel } from '../../tools/clients/in-parallel.js';
import { badRequests } from './support/bad-requests.js';
import { DEVICE_ROUTES, send, type RawAnswer } from './support/device-calls.js';
import { levelHeaders } from './support/real-headers.js';
import { goodCalls, makeWorld, type World } from './support/small-world.js';

let world: World;

beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world?.stop());

/** What snapd makes a sentence of (device-api.md 2.1, 2.2); null where it can. */
function unreadable({ headers, body }: RawAnswer): string | null {
  if (headers['content-type'] !== 'application/json') return `type ${headers['content-type']}`;
  const { 'error-list': errors } = JSON.parse(body.toString()) as { 'error-list'?: unknown };
  if (!Array.isArray(errors) || errors.length === 0) return 'no error-list';
  const isSaid = (one: { code?: unknown; message?: unknown }): boolean =>
    [one.code, one.message].every((text) => typeof text === 'string' && text !== '');
  return errors.every(isSaid) ? null : 'an error without code and message';
}

it('bad input gets 4xx in the shape that snapd reads, never 5xx: over two thousand requests to all routes', async () => {
  const all = badRequests('one');
  expect(all.length).toBeGreaterThan(2_000);
  expect(new Set(all.map(({ route }) => route))).toEqual(new Set(DEVICE_ROUTES));
  const wrong: string[] = [];
  await inParallel(all, 8, async ({ route, what, kind, call }, no) => {
    // In turn from a device and from somebody who names no store.
    const headers = { ...levelHeaders(2, no % 2 === 0 ? world.own : {}), ...call.headers };
    const answer = await send(world.store.url, { ...call, headers });
    const { status } = answer;
    const isFine = kind === 'refused' ? status >= 400 && status < 500 : status < 500;
    const problem = isFine && status >= 400 && call.method !== 'HEAD' ? unreadable(answer) : null;
    if (!isFine || problem !== null)
      wrong.push(
        `${route} (${what}): ${status} ${problem ?? answer.body.toString().slice(0, 200)}`,
      );
  });
  expect(wrong).toEqual([]);
  // And it goes on.
  for (const [route, call] of await goodCalls(world))
    expect([route, (await send(world.store.url, call)).status < 500]).toEqual([route, true]);
}, 180_000);

it('a header block that is too large is refused in that shape too', async () => {
  const headers = { 'snap-device-store': 'x'.repeat(20_000) };
  const answer = await send(world.store.url, { method: 'GET', path: '/v2/snaps/find', headers });
  expect([answer.status, unreadable(answer)]).toEqual([431, null]);
});
