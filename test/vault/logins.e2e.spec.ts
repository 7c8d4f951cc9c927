import { afterAll, beforeAll, expect, it } from 'vitest';
import { totpCode } from '#libs/auth';
import { shiftClock } from '#libs/database';
import { loggedIn, type LoggedIn } from './support/people.js';
import {
  BRAND,
  freshKey,
  mutate,
  query,
  register,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultWithModel } from './support/start.js';

// People of the vault log in with password and second factor (serial-vault.md 13, F35); tokens never approve (decisions 26).

let vault: RunningVault;
let model: TestModel;

beforeAll(async () => {
  ({ vault, model } = await startVaultWithModel('acme-people'));
});
afterAll(() => vault?.stop());

const STEP_MS = 30_000;
const session = (call: string): Promise<{ token: string }> =>
  mutate(vault, '', call, 'Session', 'token');
const login = ({ email, password }: LoggedIn, otp?: string): Promise<{ token: string }> =>
  session(
    `login(brand: "acme", email: "${email.toUpperCase()}", password: "${password}"${otp === undefined ? '' : `, otp: "${otp}"`})`,
  );
const rolesOf = async (token: string): Promise<string[]> =>
  (await query<{ me: { roles: string[] } }>(vault, token, '{ me { roles } }')).me.roles;
const inBrand = `brand: "${BRAND}"`;

it('no token approves or refuses, restores or invites, whatever its roles and whosever it is; a person with the role does', async () => {
  const approver = await loggedIn(vault, ['approver', 'vault-admin']);
  const own = `createToken(${inBrand}, input: { name: "own", roles: [approver, vault_admin], memberId: "${approver.id}" })`;
  const machine = `createToken(${inBrand}, input: { name: "line", roles: [approver, vault_admin] })`;
  const tokens = [vault.token];
  for (const call of [own, machine])
    tokens.push(
      (await mutate<{ token: string }>(vault, vault.token, call, 'NewToken', 'token')).token,
    );
  await register(vault, model, freshKey(), 'HELD-1');
  const device = freshKey();
  expect((await register(vault, model, device, 'HELD-1')).status).toBe(202);
  const { pending } = await query<{ pending: { id: string }[] }>(
    vault,
    vault.token,
    `{ pending(${inBrand}) { id } }`,
  );
  const id = pending[0]?.id;
  const revoked = `${inBrand}, model: "acme-people", serial: "HELD-1", reason: "r"`;
  await mutate(vault, vault.token, `revokeDevice(${revoked})`, 'Device', 'serial');
  const restore = `restoreDevice(${revoked})`;
  for (const token of tokens) {
    for (const verb of ['approve', 'refuse'])
      await expect(
        mutate(vault, token, `${verb}Request(${inBrand}, id: "${id}")`, 'PendingRequest', 'id'),
      ).rejects.toThrow('Forbidden: cannot ' + verb + 'Request with a token: a person must do it');
    await expect(mutate(vault, token, restore, 'Device', 'serial')).rejects.toThrow(
      'a person must',
    );
  }
  // Whoever could invite by a brand's token would make the person that it is not.
  for (const token of tokens.slice(1))
    await expect(
      mutate(
        vault,
        token,
        `inviteMember(${inBrand}, id: "${approver.id}")`,
        'Invitation',
        'expiresAt',
      ),
    ).rejects.toThrow('a person must do it');
  expect((await register(vault, model, device, 'HELD-1')).status).toBe(403);
  await mutate(vault, approver.token, restore, 'Device', 'serial');
  const approve = `approveRequest(${inBrand}, id: "${id}")`;
  await mutate(vault, approver.token, approve, 'PendingRequest', 'id');
  expect((await register(vault, model, device, 'HELD-1')).status).toBe(200);
});

it('an invitation is good once and for a week; roles count at once, and whoever is removed is out', async () => {
  const ann = await loggedIn(vault, ['auditor']);
  const member = `email: "${ann.email}", displayName: "Ann"`;
  const set = (roles: string): Promise<unknown> =>
    mutate(
      vault,
      vault.token,
      `setMember(${inBrand}, input: { ${member}, roles: [${roles}] })`,
      'Member',
      'id',
    );
  const invite = async (): Promise<string> =>
    (
      await mutate<{ invitation: string }>(
        vault,
        vault.token,
        `inviteMember(${inBrand}, id: "${ann.id}")`,
        'Invitation',
        'invitation',
      )
    ).invitation;
  expect(await rolesOf(ann.token)).toEqual(['auditor']);
  await set('production, approver');
  expect(await rolesOf(ann.token)).toEqual(['production', 'approver']);

  const first = await invite();
  // The login that there was has ended: another password is to be chosen.
  await expect(rolesOf(ann.token)).rejects.toThrow('unauthorized');
  await expect(login(ann)).rejects.toThrow('wrong brand, mail address or password');
  const accept = (text: string, password = 'a new long password'): Promise<{ token: string }> =>
    session(`acceptInvitation(invitation: "${text}", password: "${password}")`);
  await expect(accept(first, 'short')).rejects.toThrow('under 10 characters');
  const second = await invite();
  await expect(accept(first)).rejects.toThrow('unknown, used or over');
  const { token } = await accept(second);
  await expect(accept(second)).rejects.toThrow('unknown, used or over');
  expect(await rolesOf(token)).toEqual(['production', 'approver']);
  const late = await invite();
  await shiftClock(vault.urls.owner, 8 * 86_400_000);
  await vault.restart();
  await expect(accept(late)).rejects.toThrow('unknown, used or over');
  await shiftClock(vault.urls.owner, 0);
  await vault.restart();
  const again = (await accept(await invite())).token;
  await mutate(vault, vault.token, `removeMember(${inBrand}, id: "${ann.id}")`, 'Member', 'id');
  await expect(rolesOf(again)).rejects.toThrow('unauthorized');
  await expect(login({ ...ann, password: 'a new long password' })).rejects.toThrow('wrong brand');
});

it('who has a second factor needs a code that was not used, or a recovery code, once; the database shows neither', async () => {
  const ben = await loggedIn(vault, ['approver']);
  const act = <T>(call: string, type: string, fields: string): Promise<T> =>
    mutate<T>(vault, ben.token, call, type, fields);
  const { secret } = await act<{ secret: string }>('beginSecondFactor', 'SecondFactor', 'secret');
  // A code is good one step before and after its own: these two are for half a minute to come, however slow the machine is.
  const now = Date.now();
  const code = (steps: number): string => totpCode(secret, new Date(now + steps * STEP_MS));
  const confirm = (password: string, otp: string): Promise<{ codes: string[] }> =>
    act(
      `confirmSecondFactor(secret: "${secret}", password: "${password}", otp: "${otp}")`,
      'RecoveryCodes',
      'codes',
    );
  await expect(confirm('not the password', code(+1))).rejects.toThrow('wrong');
  await expect(confirm(ben.password, '000000')).rejects.toThrow('wrong code');
  expect((await login(ben)).token).toContain('bss_');
  const { codes } = await confirm(ben.password, code(0));
  expect(new Set(codes).size).toBe(10);

  await expect(login(ben)).rejects.toThrow('a code of the second factor is needed');
  await expect(login({ ...ben, password: 'wrong for sure' })).rejects.toThrow('wrong brand');
  await expect(login(ben, code(0))).rejects.toThrow('wrong code');
  const { token } = await login(ben, code(+1));
  await expect(login(ben, code(+1))).rejects.toThrow('wrong code');
  expect(await rolesOf(token)).toEqual(['approver']);
  await login(ben, codes[3]);
  await expect(login(ben, codes[3])).rejects.toThrow('wrong code');
  const [row] = await vault.sql<{ text: string }>(
    `SELECT to_jsonb(members)::text AS text FROM vault.members WHERE id = $1`,
    [ben.id],
  );
  for (const known of [secret, ben.password, ...codes, ben.token])
    expect(row?.text).not.toContain(known);
  const remove = (otp = ''): Promise<unknown> =>
    act(`removeSecondFactor(password: "${ben.password}", otp: "${otp}")`, 'Done', 'isDone');
  await expect(remove(codes[3])).rejects.toThrow('wrong code');
  await remove(codes[4]);
  await login(ben);
});

it('another password ends the other logins; guessing is stopped, for the right password too; a login ends after a working day', async () => {
  const cleo = await loggedIn(vault, ['auditor']);
  const other = (await login(cleo)).token;
  const change = `changePassword(current: "${cleo.password}", next: "one more long password")`;
  await mutate(vault, cleo.token, change, 'Done', 'isDone');
  await expect(rolesOf(other)).rejects.toThrow('unauthorized');
  expect(await rolesOf(cleo.token)).toEqual(['auditor']);
  await mutate(vault, cleo.token, 'logout', 'Done', 'isDone');
  await expect(rolesOf(cleo.token)).rejects.toThrow('unauthorized');

  const dora = await loggedIn(vault, ['auditor']);
  for (let guess = 0; guess < 10; guess++)
    await expect(login({ ...dora, password: `guess number ${guess}` })).rejects.toThrow('wrong');
  await expect(login(dora)).rejects.toThrow('too many failures');
  expect(await rolesOf(dora.token)).toEqual(['auditor']);
  await shiftClock(vault.urls.owner, 13 * 3_600_000);
  await vault.restart();
  await expect(rolesOf(dora.token)).rejects.toThrow('unauthorized');
  expect((await login(dora)).token).toContain('bss_');
  await shiftClock(vault.urls.owner, 0);
});
