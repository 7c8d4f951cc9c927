import { VAULT_ROLES, type VaultRole } from '#libs/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PERMISSIONS, type Permission } from '../../apps/serial-vault/src/graphql/permissions.js';
import { ROUTES, type RouteRule } from '../../apps/serial-vault/src/http/routes.js';
import { ask } from '../../tools/clients/http.js';
import { inParallel } from '../../tools/clients/in-parallel.js';
import {
  BRAND,
  certifiedKey,
  mutate,
  otherBrand,
  registerBrand,
  registerModel,
  startVault,
  type RunningVault,
} from '../vault/vault-kit.js';
import { loggedIn } from '../vault/support/people.js';
import { callsOf, NOTHING, type Call } from './dummies.js';
import { askField, verdictOfStatus, type Verdict } from './verdict.js';

/** Keys of 4096 bits take their time on a busy machine. */
const KEYS_MS = 300_000;

/** Somebody who asks: with a token of a brand, of the installation, at a login, or as a stranger. */
interface Caller {
  readonly name: string;
  readonly bearer: string | null;
  readonly roles?: readonly VaultRole[];
  readonly isInstallation?: true;
  /** At a login; decisions 26. */
  readonly isPerson?: true;
}

type Open = Extract<RouteRule, string>;
const isOpen = (rule: RouteRule): rule is Open => typeof rule === 'string';

/** The rule written a second time, from the words of the page instead of the gate's code. */
function expected(permission: Permission, caller: Caller, isOwnBrand: boolean): Verdict {
  const { roles, isInstallation = false, isPerson = false } = caller;
  if (permission === 'anyone') return 'allowed';
  if (roles === undefined) return 'unauthorized';
  if (permission === 'member') return 'allowed';
  if (permission === 'human') return isPerson ? 'allowed' : 'forbidden';
  if (!isOwnBrand && !isInstallation) return 'absent';
  const { roles: needed, byPeople } = 'roles' in permission ? permission : { roles: permission };
  const mayHere = roles.filter((role) => (role === 'instance-admin') === isInstallation);
  if (!mayHere.some((role) => needed.includes(role))) return 'forbidden';
  if (byPeople === undefined || isPerson) return 'allowed';
  return byPeople === 'invites' && isInstallation ? 'allowed' : 'forbidden';
}

const DEVICES = [
  ...['models', 'signingKeys', 'serials', 'device', 'pending', 'orders', 'remodelRules'],
  ...['wouldSign', 'lineStates'],
];
const LOGS = ['apiKeys', 'auditLog', 'verifyLogs'];
const MEMBERS = ['setMember', 'removeMember', 'inviteMember', 'createToken', 'revokeToken'];
const POLICIES = ['importAssertions', 'setModelPolicy', 'rollbackModelPolicy', 'pullModels'];

/** serial-vault.md 13, by the words of its table: what each role may see and do, and nothing else. */
const BY_THE_PAGE: Readonly<Record<VaultRole, readonly string[]>> = {
  'instance-admin': [
    ...['members', ...MEMBERS, 'registerBrand', 'blockDeviceKey', 'createInstallationToken'],
    'changeMasterKey',
  ],
  'vault-admin': [
    ...['members', ...MEMBERS, ...DEVICES, ...LOGS, 'signingLog', ...POLICIES, 'registerModel'],
    ...['setModelActive', 'setRevokedModelRevisions', 'createApiKey', 'endApiKey'],
    ...['allowRemodels', 'endRemodelRules', 'listSerials', 'confirmKeyDisabling'],
  ],
  'key-custodian': [
    ...[...DEVICES, ...POLICIES, 'keyTransport', 'createSigningKey', 'importSigningKey'],
    ...['deleteSigningKey', 'importAccountKey', 'setSigningKeyEnabled', 'confirmKeyDisabling'],
  ],
  production: [...DEVICES, 'signingLog', 'pullModels', 'listSerials'],
  approver: [
    ...[...DEVICES, 'signingLog', 'approveRequest', 'refuseRequest', 'revokeDevice'],
    ...['restoreDevice', 'swapBoard'],
  ],
  auditor: [...DEVICES, ...LOGS, 'signingLog', 'members'],
  'system-user-signer': ['models', 'signingKeys', 'createSystemUser'],
  factory: [],
};

/** What needs no role, or besides one a person at a login: no token decides (decisions 26). */
const BESIDES_ROLES: Readonly<Record<string, string>> = {
  ...{ me: 'member', brands: 'member' },
  ...{ login: 'anyone', beginOidcLogin: 'anyone', finishOidcLogin: 'anyone' },
  ...{ acceptInvitation: 'anyone', logout: 'human', changePassword: 'human' },
  ...{ beginSecondFactor: 'human', confirmSecondFactor: 'human', removeSecondFactor: 'human' },
  ...{ approveRequest: 'always', refuseRequest: 'always', restoreDevice: 'always' },
  ...{ confirmKeyDisabling: 'always', inviteMember: 'invites' },
};

/** Whose line a route shares. */
const BY_FIELD: Readonly<Record<string, string>> = {
  'POST /admin/v1/brands/:brand/models/:model/serials': 'Mutation.listSerials',
  'POST /admin/v1/brands/:brand/models/:model/reconciliation': 'Query.orders',
  'GET /admin/v1/brands/:brand/serial-log/export': 'Query.signingLog',
  'POST /admin/v1/former-vault': 'Mutation.registerBrand',
};

describe('every route and every field of the vault, asked', () => {
  let vault: RunningVault;
  let foreign = '';
  let apiKey = '';
  const callers: Caller[] = [];
  /** Their logins end with the walk through all fields, of which logout is the last. */
  const people: Caller[] = [];

  beforeAll(async () => {
    vault = await startVault();
    await registerBrand(vault);
    const other = await otherBrand();
    foreign = other.id;
    await mutate(
      vault,
      vault.token,
      `registerBrand(brand: "${foreign}", assertions: $a)`,
      'Brand',
      'id',
      {
        a: ['String!', other.chain],
      },
    );
    const signingKeyId = await certifiedKey(vault);
    ({ apiKey } = await registerModel(vault, 'acme-matrix', { signingKeyId }));
    const give = async (call: string): Promise<string> =>
      (await mutate<{ token: string }>(vault, vault.token, call, 'NewToken', 'token')).token;
    for (const role of VAULT_ROLES) {
      const input = `input: {name: "${role}", roles: [${role.replaceAll('-', '_')}]}`;
      const isInstallation = role === 'instance-admin';
      const bearer = await give(
        isInstallation
          ? `createInstallationToken(${input})`
          : `createToken(brand: "${BRAND}", ${input})`,
      );
      const all = isInstallation && ({ isInstallation } as const);
      callers.push({ name: role, bearer, roles: [role], ...all });
      if (isInstallation) continue;
      const { token } = await loggedIn(vault, [role]);
      people.push({ name: `${role} in person`, bearer: token, roles: [role], isPerson: true });
    }
    const none = await give(`createToken(brand: "${BRAND}", input: {name: "none", roles: []})`);
    callers.push({ name: 'no role', bearer: none, roles: [] }, { name: 'nobody', bearer: null });
  }, KEYS_MS);
  afterAll(() => vault?.stop());

  it('V80 a field says to each role and to strangers, in the own and a foreign brand, what the table says', async () => {
    const lines = Object.entries(PERMISSIONS).map(
      ([field, line]) => [field.split('.')[1] ?? '', line] as const,
    );
    for (const role of VAULT_ROLES) {
      const may = lines.filter(
        ([, line]) =>
          typeof line !== 'string' && ('roles' in line ? line.roles : line).includes(role),
      );
      expect(new Set(may.map(([name]) => name)), role).toEqual(new Set(BY_THE_PAGE[role]));
    }
    const special = lines.flatMap(([name, line]) => {
      if (typeof line === 'string') return [[name, line]];
      return 'byPeople' in line ? [[name, line.byPeople]] : [];
    });
    expect(Object.fromEntries(special)).toEqual(BESIDES_ROLES);
    const wrong: string[] = [];
    let asked = 0;
    const check = async (call: Call, caller: Caller): Promise<void> => {
      const permission = PERMISSIONS[call.field];
      if (permission === undefined) throw new Error(`cannot find a line for ${call.field}`);
      for (const brand of call.hasBrand ? [BRAND, foreign] : [BRAND]) {
        asked += 1;
        const isOwn = brand === BRAND;
        const { verdict, text } = await askField(vault.url, call, caller.bearer, brand);
        const says = expected(permission, caller, isOwn);
        if (verdict !== says)
          wrong.push(`${call.field} ${caller.name} own=${isOwn}: ${verdict}, not ${says}: ${text}`);
        if (isOwn || says !== 'absent') continue;
        // A brand that is not there answers the same.
        const none = await askField(vault.url, call, caller.bearer, NOTHING);
        if (none.text.replaceAll(NOTHING, brand) !== text)
          wrong.push(`${call.field} ${caller.name}: ${text} / ${none.text}`);
      }
    };
    await inParallel([...callers, ...people], 3, async (caller) => {
      for (const call of callsOf('serial-vault')) await check(call, caller);
    });
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(callers.length * Object.keys(PERMISSIONS).length);
  }, 240_000);

  it('V80 a route says what its rule says to strangers, tokens and gadgets', async () => {
    const headersOf = [{}, { authorization: `Bearer ${vault.token}` }, { 'api-key': apiKey }];
    /** Rule → what they get, and what they get where there is nothing. */
    const says: Readonly<Record<Open, readonly Verdict[]>> = {
      anyone: ['allowed', 'allowed', 'allowed'],
      graphql: ['allowed', 'allowed', 'allowed'],
      device: ['unauthorized', 'unauthorized', 'allowed'],
    };
    for (const [route, rule] of Object.entries(ROUTES)) {
      if (!isOpen(rule)) continue;
      const [verb = '', path = ''] = route.split(' ');
      const method = verb === 'ALL' ? 'POST' : verb;
      const send = async (url: string, headers: Record<string, string>): Promise<Verdict> => {
        const body =
          method === 'POST' && rule === 'graphql' ? { body: '{"query":"{ me { roles } }"}' } : {};
        const sent = { ...(body.body && { 'content-type': 'application/json' }), ...headers };
        return verdictOfStatus(
          (await ask(vault.url + url, { method, headers: sent, ...body })).status,
        );
      };
      const url = path.replace('*', '/v1/request-id');
      const got = await Promise.all(headersOf.map((headers) => send(url, headers)));
      expect(got, `${route} (${rule})`).toEqual(says[rule]);
      if (rule !== 'device') continue;
      const elsewhere = await Promise.all(headersOf.map((headers) => send('/v1/else', headers)));
      expect(elsewhere, route).toEqual(['absent', 'absent', 'absent']);
    }
  });

  it('V80 a route of the administration says to each role, in the own, a foreign and no brand, what its line says', async () => {
    const wrong: string[] = [];
    const scoped = Object.entries(ROUTES).flatMap(([route, rule]) =>
      isOpen(rule) ? [] : [[route, rule.field] as const],
    );
    expect(Object.fromEntries(scoped)).toEqual(BY_FIELD);
    for (const [route, field] of scoped) {
      const rule = PERMISSIONS[field] ?? [];
      const [method = '', path = ''] = route.split(' ');
      const get = async (brand: string, { bearer }: Caller): Promise<[Verdict, string]> => {
        const url = path.replace(':brand', brand).replace(':model', 'acme-matrix');
        const headers = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
        const { status, text } = await ask(vault.url + url, { method, headers });
        return [verdictOfStatus(status), text];
      };
      // One that names no brand is the installation's.
      const brands = path.includes(':brand') ? [BRAND, foreign] : [BRAND];
      for (const caller of callers)
        for (const brand of brands) {
          const says = expected(rule, caller, brand === BRAND);
          const [verdict, text] = await get(brand, caller);
          // What is let in lacks a body, or the installation's own asks for a model of another brand.
          if (verdict !== says && !(says === 'allowed' && caller.isInstallation))
            wrong.push(`${route} ${caller.name} ${brand}: ${verdict}, not ${says}: ${text}`);
          if (says !== 'absent') continue;
          const [, none] = await get(NOTHING, caller);
          if (none.replaceAll(NOTHING, brand) !== text) wrong.push(`${route}: ${text} / ${none}`);
        }
    }
    expect(wrong).toEqual([]);
  });
});
