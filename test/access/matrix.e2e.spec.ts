import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEDIA_TYPE, signAssertion, type Assertion, type Signer } from '#libs/assertions';
import { ROLES, type Role } from '#libs/auth';
import { ROUTES, type RouteRule } from '../../apps/store-api/src/access/routes.js';
import { PERMISSIONS, type Permission } from '../../apps/store-api/src/admin/permissions.js';
import { ScriptedDevice } from '../../tools/clients/device.js';
import { ask } from '../../tools/clients/http.js';
import { inParallel } from '../../tools/clients/in-parallel.js';
import { Publisher } from '../../tools/clients/publisher.js';
import { Subscription } from '../../tools/clients/subscription.js';
import { AdminStore, Enum, literal } from '../admin/support/admin-store.js';
import { makeSigner } from '../device/support/device-store.js';
import { callsOf, NOTHING, schemaOf, type Call } from './dummies.js';
import { GATE, askField, verdictOfStatus, type Verdict } from './verdict.js';

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
  if (permission === 'human') return caller.isToken ? 'forbidden' : 'allowed';
  if (permission === 'operator') return caller.isOperator ? 'allowed' : 'forbidden';
  if (caller.isOperator) return permission.operator ? 'allowed' : 'forbidden';
  if (!isOwnBrand || (permission.human && caller.isToken)) return 'forbidden';
  const { roles } = permission;
  const has = roles === 'member' || caller.roles.some((role) => roles.includes(role));
  return has ? 'allowed' : 'forbidden';
}

/** A body that the route can read; of what proves itself, what it speaks of. */
function bodyOf(route: string, brand: string): string {
  const at = new Date().toISOString();
  const device = { model: 'gateway', serial: 'none', at, reason: 'lost' };
  const said: Readonly<Record<string, object>> = {
    'POST /api/v1/vault/events': { kind: 'revoked', ...device },
    'POST /api/v1/vault/models': { kind: 'models' },
    'POST /api/v1/vault/devices': { kind: 'devices', model: 'gateway', serials: ['none'] },
  };
  const about = said[route];
  return JSON.stringify(about && { id: randomUUID(), 'brand-id': brand, ...about }) ?? '{}';
}

const typeOf = (route: string): string =>
  ROUTES[route] === 'vault' ? MEDIA_TYPE : 'application/json';

/** A device of the brand, whose key a publisher registers; with a session. */
async function openedDevice(
  { brand, installation }: AdminStore,
  publisher: Publisher,
  signer: Signer = makeSigner(),
): Promise<ScriptedDevice> {
  await publisher.registerKey(`key-${randomUUID().slice(0, 8)}`, signer);
  const sign = (type: 'model' | 'serial', headers: object): Promise<Assertion> => {
    const own = { 'authority-id': brand, 'brand-id': brand, model: 'gateway' };
    const timestamp = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const draft = { type, headers: { ...own, timestamp, ...headers } };
    return signAssertion(draft, signer, new Date());
  };
  const key = makeSigner();
  const model = await sign('model', {
    series: '16',
    architecture: 'amd64',
    gadget: 'acme-gadget',
    kernel: 'acme-kernel',
  });
  const url = installation.storeUrl;
  const options = { storeUrl: url, vaultUrl: url, model, key, proposedSerial: 'one', trusted: [] };
  const device = new ScriptedDevice(options);
  device.serial = await sign('serial', {
    serial: `one-${randomUUID()}`,
    'device-key': key.publicKey.encoded,
    'device-key-sha3-384': key.publicKey.id,
  });
  await device.openSession();
  return device;
}

describe('every route and every field of the store, asked', () => {
  let store: AdminStore;
  let foreign = '';
  const callers: Caller[] = [];

  beforeAll(async () => {
    store = await AdminStore.start({ apps: ['store-api', 'serial-vault'] });
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

  it('a route says what its rule says to strangers, logins, publishers and devices, with a bad session and a good one', async () => {
    const { storeUrl } = store.installation;
    const publisher = new Publisher(storeUrl);
    await publisher.login(store.planner.email, store.planner.password);
    const device = await openedDevice(store, publisher);
    const send = async (route: string, headers: Record<string, string>): Promise<Verdict> => {
      const [verb = '', path = ''] = route.split(' ');
      const method = verb === 'ALL' ? 'POST' : verb;
      const url = path.replace(/:\w+|\*/g, NOTHING);
      const body = method === 'GET' ? {} : { body: bodyOf(route, store.brand) };
      // A key that no vault knows: it is the vault that says so.
      const sent = { 'content-type': typeOf(route), 'api-key': NOTHING, ...headers };
      return verdictOfStatus(
        (await ask(storeUrl + url, { method, headers: sent, ...body })).status,
      );
    };
    const callers = [
      {},
      { authorization: `Bearer ${store.planner.token}` },
      { authorization: publisher.authorization },
      { 'snap-device-authorization': `Macaroon root="${randomUUID()}"` },
      { 'snap-device-authorization': `Macaroon root="${device.session}"` },
    ];
    const all = (verdict: Verdict): Verdict[] => callers.map(() => verdict);
    /** Rule → what they get, in that order. */
    const says: Readonly<Record<Extract<RouteRule, string>, readonly Verdict[]>> = {
      anyone: all('allowed'),
      publisher: ['unauthorized', 'unauthorized', 'allowed', 'unauthorized', 'unauthorized'],
      device: ['allowed', 'allowed', 'allowed', 'unauthorized', 'allowed'],
      // What they bring is looked at, whoever they are: the next test brings what is right.
      papers: all('allowed'),
      signature: all('unauthorized'),
      link: all('forbidden'),
      vault: all('unauthorized'),
      graphql: all('allowed'),
      nobody: all('absent'),
    };
    for (const [route, rule] of Object.entries(ROUTES)) {
      if (typeof rule !== 'string') continue;
      const got: Verdict[] = [];
      for (const headers of callers) got.push(await send(route, headers));
      // What is asked for is not there: whom the rule lets in is told so.
      const told = got.map((verdict) =>
        rule !== 'nobody' && verdict === 'absent' ? 'allowed' : verdict,
      );
      expect(told, `${route} (${rule})`).toEqual(says[rule]);
    }
  });

  it('papers of another device and the signature of another brand open nothing, the right ones do', async () => {
    const { storeUrl } = store.installation;
    const publisher = new Publisher(storeUrl);
    await publisher.login(store.planner.email, store.planner.password);
    const signer = makeSigner();
    const device = await openedDevice(store, publisher, signer);
    expect((await device.requestSession()).status).toBe(200);
    expect((await device.requestSession({ signer: makeSigner() })).status).toBe(400);
    for (const [route, rule] of Object.entries(ROUTES)) {
      if (rule !== 'signature') continue;
      const post = async (brand: string): Promise<Verdict> => {
        const body = bodyOf(route, brand);
        const signature = Buffer.from(await signer.sign(Buffer.from(body))).toString('base64');
        const headers = {
          'content-type': 'application/json',
          'vault-key': signer.publicKey.id,
          'vault-signature': signature,
        };
        const url = storeUrl + route.replace('POST ', '');
        return verdictOfStatus((await ask(url, { method: 'POST', headers, body })).status);
      };
      expect([await post(store.brand), await post(foreign)], route).toEqual([
        'allowed',
        'unauthorized',
      ]);
    }
  });

  it('the login of a foreign brand’s person is reset as that of nobody: not at all', async () => {
    const theirs = await store.addPerson('chief@globex.example', ['admin'], foreign);
    const boss = await store.addPerson('boss@acme.example', ['admin']);
    for (const field of ['resetLogin', 'endSessionsOf']) {
      const [their, nobodys] = await Promise.all(
        [theirs.personId, NOTHING].map(async (personId) => {
          const result = await boss.act(
            `${field}(brand: "${store.brand}", personId: "${personId}", reason: "why not")`,
          );
          return JSON.stringify(result).replaceAll(personId, '…');
        }),
      );
      expect(their).toBe(nobodys);
      expect(their).toContain('NotFound');
      const inTheirs = `${field}(brand: "${foreign}", personId: "${theirs.personId}", reason: "why not")`;
      expect((await boss.act(inTheirs)).__typename).toBe('Forbidden');
    }
    // Still logged in, still with the same password.
    expect(await theirs.ask('me { email }')).toEqual({ me: { email: theirs.email } });
    await store.login(theirs.email, theirs.password);
  });

  it('a subscription says to each of them what the table says, and of a foreign brand what of none', async () => {
    const asked: Readonly<Record<string, (brand: string) => string>> = {
      events: (brand) => `events(brand: "${brand}", after: 0) { seq }`,
      rolloutProgress: (brand) => `rolloutProgress(brand: "${brand}", id: "${NOTHING}") { id }`,
    };
    const there = Object.keys(schemaOf('store-api').getSubscriptionType()?.getFields() ?? {});
    expect(Object.keys(asked).sort()).toEqual(there.sort());
    // So that whoever may hear of the brand hears something.
    const owner = await store.addPerson('news@acme.example', ['operator']);
    await owner.act(
      `stop(brand: "${store.brand}", input: {scope: brand, level: 1, reason: "a test"})`,
    );
    const hear = async (query: string, bearer: string | null): Promise<string> => {
      const url = `${store.installation.storeUrl}/graphql`;
      const one = await Subscription.start(url, bearer ?? '', `subscription { ${query} }`);
      const isOver = (): boolean => one.ended !== undefined || one.seen.length > 0;
      await expect.poll(isOver, { timeout: 60_000, interval: 20, message: query }).toBe(true);
      one.stop();
      return one.seen.length > 0 || one.ended === 'complete' ? 'allowed' : (one.ended ?? '');
    };
    for (const [field, query] of Object.entries(asked))
      for (const caller of callers) {
        const permission = PERMISSIONS[`Subscription.${field}`];
        if (permission === undefined) throw new Error(`cannot find a line for ${field}`);
        for (const brand of [store.brand, foreign]) {
          const text = await hear(query(brand), caller.bearer);
          const verdict = GATE.test(text)
            ? 'forbidden'
            : text.includes('without login')
              ? 'unauthorized'
              : text;
          const isOwn = brand === store.brand;
          expect(verdict, `${field} ${caller.name} ${isOwn}`).toBe(
            expected(permission, caller, isOwn),
          );
          if (!isOwn) expect(await hear(query(NOTHING), caller.bearer)).toBe(text);
        }
      }
  }, 240_000);

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
        if (verdict !== says)
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
