import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { totpCode } from '#libs/auth';
import { shiftClock, type VaultRole } from '#libs/database';
import { NOTHING } from '../access/dummies.js';
import { CONSOLE, LoginProvider, visit, type Known, type Typed } from './support/login-provider.js';
import { loggedIn } from './support/people.js';
import {
  BRAND,
  mutate,
  prepareVault,
  query,
  registerBrand,
  startVault,
  type RunningVault,
} from './vault-kit.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

// Logins by the word of a provider, a real one over HTTP (serial-vault.md 13, F35).

let provider: LoginProvider;
let vault: RunningVault;

beforeAll(async () => {
  provider = await LoginProvider.start();
  vault = await startVault(provider.env, prepareVault);
  await registerBrand(vault);
});
beforeEach(() => {
  provider.forgery = null;
});
afterAll(async () => {
  await vault?.stop();
  await provider?.leave();
});

interface Begun {
  readonly authorizationUrl: string;
  readonly state: string;
  readonly ticket: string;
}
interface Session {
  readonly token: string;
  readonly memberId: string;
}

const LOOPBACK = 'http://127.0.0.1:4711/callback';
const begin = (redirectUri = LOOPBACK, brand = 'acme'): Promise<Begun> =>
  mutate(
    vault,
    '',
    `beginOidcLogin(brand: "${brand}", redirectUri: "${redirectUri}")`,
    'OidcLogin',
    'authorizationUrl state ticket',
  );
const finish = (ticket: string, came: URL, otp?: string): Promise<Session> =>
  mutate(
    vault,
    '',
    `finishOidcLogin(ticket: "${ticket}", response: "${came.search}"${otp === undefined ? '' : `, otp: "${otp}"`})`,
    'Session',
    'token memberId',
  );
/** From the beginning to the end. */
const logIn = async (typed: Typed, brand?: string): Promise<Session> => {
  const { authorizationUrl, ticket } = await begin(LOOPBACK, brand);
  return finish(ticket, await visit(authorizationUrl, typed));
};

const known = (sub: string, claims: Known): void => void provider.people.set(sub, claims);
const setMember = (email: string, roles: readonly VaultRole[]): Promise<{ id: string }> =>
  mutate(
    vault,
    vault.token,
    `setMember(brand: "${BRAND}", input: { email: "${email}", displayName: "S", roles: [${roles.join(', ')}] })`,
    'Member',
    'id',
  );
/** A member of the brand whom the provider knows by this very address. */
const member = async (sub: string, roles: readonly VaultRole[] = ['auditor']): Promise<string> => {
  const email = `${sub}@acme.example`;
  known(sub, { email, email_verified: true });
  return (await setMember(email, roles)).id;
};
const rolesOf = async (token: string): Promise<string[]> =>
  (await query<{ me: { roles: string[] } }>(vault, token, '{ me { roles } }')).me.roles;
const audited = (subject: string): Promise<{ action: string; actor: string; detail: object }[]> =>
  vault.sql(
    `SELECT action, actor, detail FROM vault.audit_log WHERE brand_id = $1 AND subject = $2
     AND action <> 'set-member' ORDER BY seq`,
    [BRAND, subject],
  );

it('a member logs in by the checked mail address once and by the identity from then on; roles are the vault’s, and a person decides', async () => {
  const id = await member('ann', ['approver']);
  known('ann', { email: 'Ann@ACME.example', email_verified: true, roles: ['instance_admin'] });
  const { token, memberId } = await logIn({ login: 'ann' });
  expect(memberId).toBe(id);
  expect(await rolesOf(token)).toEqual(['approver']);
  // What no token may: the gate lets a person through, to a request that is not there.
  const approve = `approveRequest(brand: "${BRAND}", id: "${NOTHING}")`;
  await expect(mutate(vault, token, approve, 'PendingRequest', 'id')).rejects.toThrow('NotFound');

  // Her address passes to Bob, and she has another: both stay who they are.
  known('ann', { email: 'ann.b@acme.example', email_verified: true });
  known('bob', { email: 'ann@acme.example', email_verified: true });
  expect((await logIn({ login: 'ann' })).memberId).toBe(id);
  await expect(logIn({ login: 'bob' })).rejects.toThrow(
    'Forbidden: cannot log in: ann@acme.example is known by another identity',
  );
  const actor = `person:${id}`;
  const [detail, address] = [{ provider: provider.issuer }, '127.0.0.1'];
  expect(await audited('ann@acme.example')).toEqual([
    { action: 'link-identity', actor, detail: { ...detail, subject: 'ann' } },
    { action: 'login', actor, detail: { ...detail, address } },
    { action: 'login', actor, detail: { ...detail, address } },
    {
      action: 'refuse-login',
      actor: 'system',
      detail: { address, why: expect.stringContaining('another identity') as string },
    },
  ]);

  // The same subject of another provider is another person.
  const other = await LoginProvider.start();
  other.people.set('ann', { email: 'ann@acme.example', email_verified: true });
  await vault.restart(other.env);
  await expect(logIn({ login: 'ann' })).rejects.toThrow('is known by another identity');
  await vault.restart();
  await other.leave();

  // Who is invited anew begins anew; who is removed is out.
  const invite = `inviteMember(brand: "${BRAND}", id: "${id}")`;
  await mutate(vault, vault.token, invite, 'Invitation', 'expiresAt');
  await expect(rolesOf(token)).rejects.toThrow('unauthorized');
  expect((await logIn({ login: 'bob' })).memberId).toBe(id);
  await mutate(vault, vault.token, `removeMember(brand: "${BRAND}", id: "${id}")`, 'Member', 'id');
  await expect(logIn({ login: 'bob' })).rejects.toThrow('is no member of acme any more');
});

it('nobody is made by a login: no stranger, nobody whose address is not checked, not in a brand that there is not', async () => {
  known('eve', { email: 'eve@else.example', email_verified: true });
  await expect(logIn({ login: 'eve' })).rejects.toThrow(
    'Forbidden: cannot log in: eve@else.example is no member of acme',
  );
  await member('carl');
  await expect(logIn({ login: 'carl' }, 'nobody')).rejects.toThrow('is no member of nobody');
  for (const unchecked of [false, undefined, 'true'] as unknown as boolean[]) {
    known('carl', { email: 'carl@acme.example', email_verified: unchecked });
    await expect(logIn({ login: 'carl' })).rejects.toThrow('has not checked your mail address');
  }
  expect(await vault.sql('SELECT 1 FROM vault.members WHERE email LIKE $1', ['eve%'])).toEqual([]);
  const [refusal] = await audited('eve@else.example');
  expect(refusal).toMatchObject({ action: 'refuse-login', actor: 'system' });
  // Whoever says no at the provider is told what it says.
  const { authorizationUrl, ticket } = await begin();
  const denied = await visit(authorizationUrl, {});
  await expect(finish(ticket, denied)).rejects.toThrow('the provider says access_denied');
});

it('an answer is good once, for ten minutes, with the state and the ticket of one login, in whichever process', async () => {
  await member('dora');
  const [first, second] = [await begin(), await begin(CONSOLE)];
  const came = await visit(first.authorizationUrl, { login: 'dora' });
  const stolen = await visit(second.authorizationUrl, { login: 'dora' });
  expect([came.host, stolen.origin + stolen.pathname]).toEqual(['127.0.0.1:4711', CONSOLE]);
  const over = 'cannot finish this login: unknown, used or over';
  await expect(finish(first.ticket, stolen)).rejects.toThrow(over);
  await expect(finish(first.state, came)).rejects.toThrow(over);
  await expect(finish(first.ticket, new URL(`${LOOPBACK}?code=x`))).rejects.toThrow(over);
  const [row] = await vault.sql<{ text: string }>(
    `SELECT string_agg(to_jsonb(l)::text, ' ') AS text FROM vault.oidc_logins l`,
  );
  for (const secret of [first.state, first.ticket]) expect(row?.text).not.toContain(secret);
  // Another process, which has seen nothing of it.
  await vault.restart();
  expect((await finish(first.ticket, came)).token).toContain('bss_');
  await expect(finish(first.ticket, came)).rejects.toThrow(over);

  await shiftClock(vault.urls.owner, 11 * 60_000);
  const before = provider.redeemed;
  await expect(finish(second.ticket, stolen)).rejects.toThrow(over);
  expect(provider.redeemed).toBe(before);
  // Swept when a process starts, and by the minute.
  await vault.restart();
  await expect
    .poll(() => vault.sql('SELECT 1 FROM vault.oidc_logins'), { timeout: 60_000 })
    .toEqual([]);
  await shiftClock(vault.urls.owner, 0);
  await vault.restart();
});

it('believes no ID token of another nonce, client, issuer, time or key', async () => {
  await member('fay');
  const hour = 3600;
  const lies: Record<string, Record<string, unknown>> = {
    nonce: { nonce: 'of another login' },
    audience: { aud: 'another client' },
    issuer: { iss: 'https://login.else.example' },
    time: { exp: Math.floor(Date.now() / 1000) - hour, iat: 1 },
    subject: { sub: '' },
  };
  for (const [what, lie] of Object.entries(lies)) {
    provider.forgery = (claims) => ({ ...claims, ...lie });
    await expect(logIn({ login: 'fay' }), what).rejects.toThrow('cannot be believed');
  }
  provider.forgery = (claims) => claims;
  const own = provider.forger;
  provider.forger = cheapKey();
  await expect(logIn({ login: 'fay' })).rejects.toThrow('cannot be believed');
  provider.forger = own;
  // The same way with nothing changed, but the mail address in the token itself, as others have it.
  provider.forgery = (claims) => ({ ...claims, email: 'fay@acme.example', email_verified: true });
  known('fay', {});
  expect((await logIn({ login: 'fay' })).token).toContain('bss_');
});

it('sends browsers to this machine or to what is configured, and nowhere else', async () => {
  for (const foreign of [
    'https://evil.example/',
    `${CONSOLE}/more`,
    'http://127.0.0.1@evil.example/callback',
    'http://localhost:4711/callback',
  ])
    await expect(begin(foreign)).rejects.toThrow('Invalid: cannot send a browser back there');
  const sent = new URL((await begin(CONSOLE)).authorizationUrl).searchParams;
  expect(sent.get('redirect_uri')).toBe(CONSOLE);
  expect([sent.get('code_challenge_method'), sent.get('nonce')?.length]).toEqual(['S256', 43]);
});

it('a second factor of the vault is asked for, once the provider has spoken, unless the provider says that it had one', async () => {
  const gina = await loggedIn(vault, ['approver']);
  known('gina', { email: gina.email, email_verified: true });
  const act = <T>(call: string, type: string, fields: string): Promise<T> =>
    mutate(vault, gina.token, call, type, fields);
  const { secret } = await act<{ secret: string }>('beginSecondFactor', 'SecondFactor', 'secret');
  /** Of this step, or the next: either is still good when another step has begun meanwhile. */
  const code = (steps: 0 | 1): string => totpCode(secret, new Date(Date.now() + steps * 30_000));
  const confirm = `confirmSecondFactor(secret: "${secret}", password: "${gina.password}", otp: "${code(0)}")`;
  const { codes } = await act<{ codes: string[] }>(confirm, 'RecoveryCodes', 'codes');

  const { authorizationUrl, ticket } = await begin();
  const came = await visit(authorizationUrl, { login: 'gina', amr: ['pwd', 'sms'] });
  const asked = 'a code of the second factor is needed';
  await expect(finish(ticket, came)).rejects.toThrow(asked);
  await expect(finish(ticket, came)).rejects.toThrow(asked);
  await expect(finish(ticket, came, '000000')).rejects.toThrow('wrong code');
  // Nobody is linked by half a login.
  expect((await audited(gina.email)).map(({ action }) => action)).not.toContain('link-identity');
  expect((await finish(ticket, came, code(1))).memberId).toBe(gina.id);
  await expect(finish(ticket, came, codes[0])).rejects.toThrow('unknown, used or over');

  const slow = await begin();
  const back = await visit(slow.authorizationUrl, { login: 'gina' });
  await expect(finish(slow.ticket, back)).rejects.toThrow(asked);
  await shiftClock(vault.urls.owner, 11 * 60_000);
  await expect(finish(slow.ticket, back, codes[0])).rejects.toThrow('unknown, used or over');
  await shiftClock(vault.urls.owner, 0);

  expect((await logIn({ login: 'gina', amr: ['pwd', 'mfa'] })).memberId).toBe(gina.id);
  await vault.restart({ OIDC_SECOND_FACTORS: 'hwk, sms' });
  expect((await logIn({ login: 'gina', amr: ['pwd', 'sms'] })).memberId).toBe(gina.id);
  await expect(logIn({ login: 'gina', amr: ['pwd', 'mfa'] })).rejects.toThrow(asked);

  // Guessing codes is stopped, whatever the number of logins, for the right one too.
  const guess = async (otp: string): Promise<Session> => {
    const begun = await begin();
    return finish(begun.ticket, await visit(begun.authorizationUrl, { login: 'gina' }), otp);
  };
  for (let count = 0; count < 10; count++)
    await expect(guess(`00000${count}`)).rejects.toThrow('wrong code');
  await expect(guess(codes[1] ?? '')).rejects.toThrow('unavailable: cannot log in now');
  await vault.restart();
});

it('without the provider the vault starts, says so and takes passwords; when it is back so are its logins', async () => {
  await member('hugo');
  const ida = await loggedIn(vault, ['auditor']);
  const byPassword = (): Promise<Session> =>
    mutate(
      vault,
      '',
      `login(brand: "acme", email: "${ida.email}", password: "${ida.password}")`,
      'Session',
      'token memberId',
    );
  const { authorizationUrl, ticket } = await begin();
  const came = await visit(authorizationUrl, { login: 'hugo' });
  await provider.leave();
  const down = 'unavailable: cannot log in by the provider now: it does not answer';
  await expect(finish(ticket, came)).rejects.toThrow(down);
  await vault.restart();
  await expect(begin()).rejects.toThrow(down);
  expect((await byPassword()).memberId).toBe(ida.id);
  await provider.comeBack();
  expect((await logIn({ login: 'hugo' })).token).toContain('bss_');

  const stuck = await begin();
  const late = await visit(stuck.authorizationUrl, { login: 'hugo' });
  provider.isStuck = true;
  const since = Date.now();
  await expect(finish(stuck.ticket, late)).rejects.toThrow(down);
  // Long before a client gives up.
  expect(Date.now() - since).toBeLessThan(25_000);
  provider.isStuck = false;
  // A public client has PKCE alone; a vault without provider has none.
  await vault.restart({ OIDC_CLIENT_ID: 'public-vault', OIDC_CLIENT_SECRET: '' });
  expect((await logIn({ login: 'hugo' })).token).toContain('bss_');
  await vault.restart({ OIDC_CLIENT_SECRET: 'wrong' });
  await expect(logIn({ login: 'hugo' })).rejects.toThrow('the provider says');
  await vault.restart({ OIDC_ISSUER: '' });
  await expect(begin()).rejects.toThrow(
    'Conflict: cannot log in by a provider: this vault has none',
  );
  await vault.restart();
});

it('begins no more than a hundred logins from one address in a quarter of an hour', async () => {
  await vault.restart();
  for (let count = 0; count < 100; count++) await begin();
  await expect(begin()).rejects.toThrow('unavailable: cannot log in now: too many');
});
