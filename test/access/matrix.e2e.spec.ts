import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES, type Role } from '#libs/auth';
import { ROUTES, type RouteRule } from '../../apps/store-api/src/access/routes.js';
import { PERMISSIONS, type Permission } from '../../apps/store-api/src/admin/permissions.js';
import { ask } from '../../tools/clients/http.js';
import { inParallel } from '../../tools/clients/in-parallel.js';
import { Publisher } from '../../tools/clients/publisher.js';
import { AdminStore, Enum, literal } from '../admin/support/admin-store.js';
import { callsOf, NOTHING, type Call } from './dummies.js';
import { askField, verdictOfStatus, type Verdict } from './verdict.js';

/** Somebody who asks: the roles are in the own brand. */
interface Caller {
  readonly name: string;
  readonly bearer: string | null;
  readonly roles: readonly Role[];
  readonly isOperator?: true;
  readonly isToken?: true;
}

/** The rule written a second time, from the words of update-control.md 2.11 instead of the gate's code. */
function expected(permission: Permission, caller: Caller, isOwnBrand: boolean): Verdict {
  if (permission === 'anyone') return 'allowed';
  if (caller.bearer === null) return 'unauthorized';
  if (permission === 'person') return 'allowed';
  if (permission === 'operator') return caller.isOperator ? 'allowed' : 'forbidden';
  if (caller.isOperator) return permission.operator ? 'allowed' : 'forbidden';
  if (!isOwnBrand || (permission.human && caller.isToken)) return 'forbidden';
  const { roles } = permission;
  const has = roles === 'member' || caller.roles.some((role) => roles.includes(role));
  return has ? 'allowed' : 'forbidden';
}

/** Fields that a person has for themselves: the operation refuses them to a machine, in the words of the gate. */
const asksForHuman = (call: Call, permission: Permission, { isToken }: Caller): boolean =>
  isToken === true && permission === 'person' && call.field.startsWith('Mutation.');

describe('every route and every field of the store, asked', () => {
  let store: AdminStore;
  let foreign = '';
  const callers: Caller[] = [];

  beforeAll(async () => {
    store = await AdminStore.start({ apps: ['store-api'] });
    foreign = await store.createBrand('globex');
    for (const role of ROLES) {
      const person = await store.addPerson(`${role}@acme.example`, [role]);
      callers.push({ name: role, bearer: person.token, roles: [role] });
    }
    const all = await store.addPerson('all@acme.example', ROLES);
    // All that a token can have (decisions 26).
    const ofToken = ROLES.filter((role) => role !== 'approver');
    const roles = ofToken.map((role) => new Enum(role));
    const input = { description: 'ci', expiresInDays: 1, roles };
    const { secret } = await all.act(
      `createApiToken(brand: "${store.brand}", input: ${literal(input)})`,
      '... on ApiToken { secret }',
    );
    callers.push(
      { name: 'token', bearer: String(secret), roles: ofToken, isToken: true },
      { name: 'operator', bearer: store.operator.token, roles: [], isOperator: true },
      { name: 'nobody', bearer: null, roles: [] },
    );
  });
  afterAll(() => store?.stop());

  it('a route that goes by a field says to each caller, in the own and a foreign brand, what that field says', async () => {
    for (const [route, rule] of Object.entries(ROUTES)) {
      if (typeof rule === 'string') continue;
      const permission = PERMISSIONS[rule.field];
      if (permission === undefined) throw new Error(`cannot find ${rule.field}`);
      for (const caller of callers)
        for (const brand of [store.brand, foreign]) {
          const [method = '', path = ''] = route.split(' ');
          const { status } = await ask(
            store.installation.storeUrl + path.replace(':brand', brand),
            {
              method,
              headers: caller.bearer === null ? {} : { authorization: `Bearer ${caller.bearer}` },
            },
          );
          const isOwn = brand === store.brand;
          expect(verdictOfStatus(status), `${route} as ${caller.name}, own: ${isOwn}`).toBe(
            expected(permission, caller, isOwn),
          );
        }
    }
  });

  it('a route says what its rule says to strangers, logins, publishers, devices with a bad session', async () => {
    const { storeUrl } = store.installation;
    const publisher = new Publisher(storeUrl);
    await publisher.login(store.planner.email, store.planner.password);
    const send = async (route: string, headers: Record<string, string>): Promise<Verdict> => {
      const [verb = '', path = ''] = route.split(' ');
      const method = verb === 'ALL' ? 'POST' : verb;
      const url = path.replace(/:\w+|\*/g, NOTHING);
      const body = method === 'GET' ? {} : { body: '{}' };
      const sent = { 'content-type': 'application/json', ...headers };
      return verdictOfStatus(
        (await ask(storeUrl + url, { method, headers: sent, ...body })).status,
      );
    };
    const login = { authorization: `Bearer ${store.planner.token}` };
    const device = { 'snap-device-authorization': `Macaroon root="${randomUUID()}"` };
    const macaroons = { authorization: publisher.authorization };
    /** Rule → what a stranger, a login, a publisher and a device with a bad session get. */
    const says: Readonly<Record<Extract<RouteRule, string>, readonly Verdict[]>> = {
      anyone: ['allowed', 'allowed', 'allowed', 'allowed'],
      publisher: ['unauthorized', 'unauthorized', 'allowed', 'unauthorized'],
      device: ['allowed', 'allowed', 'allowed', 'unauthorized'],
      papers: ['allowed', 'allowed', 'allowed', 'allowed'],
      signature: ['allowed', 'allowed', 'allowed', 'allowed'],
      link: ['forbidden', 'forbidden', 'forbidden', 'forbidden'],
      vault: ['allowed', 'allowed', 'allowed', 'allowed'],
      graphql: ['allowed', 'allowed', 'allowed', 'allowed'],
      nobody: ['absent', 'absent', 'absent', 'absent'],
    };
    for (const [route, rule] of Object.entries(ROUTES)) {
      if (typeof rule !== 'string') continue;
      const got: Verdict[] = [];
      for (const headers of [{}, login, macaroons, device]) got.push(await send(route, headers));
      // What is asked for is not there: whom the rule lets in is told so.
      const told = got.map((verdict) =>
        rule !== 'nobody' && verdict === 'absent' ? 'allowed' : verdict,
      );
      expect(told, `${route} (${rule})`).toEqual(says[rule]);
    }
  });

  // The last one: it logs everybody out.
  it('a field says to each role, token, operator and stranger, in the own and a foreign brand, what the table says', async () => {
    const wrong: string[] = [];
    const { storeUrl } = store.installation;
    let asked = 0;
    const check = async (call: Call, caller: Caller): Promise<void> => {
      const permission = PERMISSIONS[call.field];
      if (permission === undefined) throw new Error(`cannot find a line for ${call.field}`);
      for (const brand of call.hasBrand ? [store.brand, foreign] : [store.brand]) {
        asked += 1;
        const { verdict, text } = await askField(storeUrl, call, caller.bearer, brand);
        const isOwn = brand === store.brand;
        const says = expected(permission, caller, isOwn);
        const isHuman = verdict === 'forbidden' && asksForHuman(call, permission, caller);
        const isFine = verdict === says || isHuman;
        if (!isFine)
          wrong.push(`${call.field} ${caller.name} own=${isOwn}: ${verdict}, not ${says}: ${text}`);
        if (isOwn || says !== 'forbidden') continue;
        // A brand that is not there answers the same.
        const none = await askField(storeUrl, call, caller.bearer, NOTHING);
        if (none.text !== text) wrong.push(`${call.field} ${caller.name}: ${text} / ${none.text}`);
      }
    };
    // Of one caller in turn, since what they do may end their login.
    await inParallel(callers, 4, async (caller) => {
      for (const call of callsOf('store-api')) await check(call, caller);
    });
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(callers.length * Object.keys(PERMISSIONS).length);
  }, 240_000);
});
