import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AssertionDatabase,
  decodeAssertion,
  decodeAssertions,
  MemoryStore,
} from '#libs/assertions';
import {
  BRAND,
  certify,
  certifiedKey,
  mutate,
  query,
  registerBrand,
  registerModel,
  startVault,
  type RunningVault,
} from './vault-kit.js';
import { decide } from './support/people.js';
import { initVault } from '../../apps/serial-vault/src/init-vault.js';
import { ask } from '../../tools/clients/http.js';

let vault: RunningVault;
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
});
afterAll(() => vault?.stop());

const token = (roles: string, brand = BRAND): Promise<{ id: string; token: string }> =>
  mutate(
    vault,
    vault.token,
    `createToken(brand: "${brand}", input: { name: "t", roles: [${roles}] })`,
    'NewToken',
    'id token',
  );

it('init is harmless when it runs twice, and refuses another root', async () => {
  expect(await initVault(vault.env)).toEqual({});
  const { me } = await query<{ me: { roles: string[]; brandId: null } }>(
    vault,
    vault.token,
    '{ me { roles brandId } }',
  );
  expect(me.brandId).toBeNull();
  expect(me.roles).toEqual(expect.arrayContaining(['instance_admin', 'approver']));
});

describe('tokens and people', () => {
  it('a revoked or expired token ends at once', async () => {
    const made = await token('vault_admin');
    const me = (): Promise<unknown> => query(vault, made.token, '{ me { roles } }');
    expect(await me()).toEqual({ me: { roles: ['vault_admin'] } });
    await mutate(
      vault,
      vault.token,
      `revokeToken(brand: "${BRAND}", id: "${made.id}")`,
      'Done',
      'isDone',
    );
    await expect(me()).rejects.toThrow('unauthorized');
  });

  it('V81 a lowered role acts at once, and the token of a removed person dies at once', async () => {
    const set = (roles: string): Promise<{ id: string }> =>
      mutate(
        vault,
        vault.token,
        `setMember(brand: "${BRAND}", input: { email: "ann@acme.example", displayName: "Ann", roles: [${roles}] })`,
        'Member',
        'id',
      );
    const { id } = await set('vault_admin, approver');
    const { token: bearer } = await mutate<{ token: string }>(
      vault,
      vault.token,
      `createToken(brand: "${BRAND}", input: { name: "ann", memberId: "${id}", roles: [vault_admin, auditor] })`,
      'NewToken',
      'token',
    );
    const may = async (): Promise<unknown[]> => {
      const { me } = await query<{ me: { roles: string[] } }>(vault, bearer, '{ me { roles } }');
      const list = query(vault, bearer, `{ apiKeys(brand: "${BRAND}") { id } }`);
      return [
        me.roles,
        await list.then(
          () => 'reads',
          (error: Error) => error.message.split(':')[0],
        ),
      ];
    };
    // What the token was not made for it has not, whatever the person may.
    expect(await may()).toEqual([['vault_admin'], 'reads']);
    await set('approver');
    expect(await may()).toEqual([[], 'forbidden']);
    await set('auditor, approver');
    expect(await may()).toEqual([['auditor'], 'reads']);
    await mutate(
      vault,
      vault.token,
      `removeMember(brand: "${BRAND}", id: "${id}")`,
      'Member',
      'id',
    );
    await expect(may()).rejects.toThrow('unauthorized');
    const { members } = await query<{ members: { email: string; removedAt: string | null }[] }>(
      vault,
      vault.token,
      `{ members(brand: "${BRAND}") { email removedAt } }`,
    );
    expect(members).toEqual([
      { email: 'ann@acme.example', removedAt: expect.any(String) as string },
    ]);
    await expect(set('instance_admin')).rejects.toThrow('no role of a brand');
  });

  it('V82 a system-user is signed for its role only, for 30 days at most, and never by API key', async () => {
    const made = await mutate<{ keyId: string; accountKeyRequest: string }>(
      vault,
      vault.token,
      `createSigningKey(brand: "${BRAND}", name: "logins", purpose: system_user)`,
      'SigningKey',
      'keyId accountKeyRequest',
    );
    const certified = await certify(decodeAssertion(Buffer.from(made.accountKeyRequest)));
    const serialKey = await certifiedKey(vault);
    const { apiKey } = await registerModel(vault, 'acme-logins', { signingKeyId: serialKey });
    const user = {
      email: 'service@acme.example',
      name: 'Service',
      username: 'service',
      sshKeys: ['ssh-ed25519 AAAA service'],
      models: ['acme-logins'],
      serials: ['L-1'],
    };
    const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
    const create = (bearer: string, input: object = {}): Promise<{ autoImport: string }> =>
      mutate(
        vault,
        bearer,
        `createSystemUser(brand: "${BRAND}", input: $i)`,
        'SystemUser',
        'autoImport',
        { i: ['SystemUserInput!', { ...user, until: inDays(29), ...input }] },
      );
    const signer = (await token('system_user_signer')).token;
    await expect(create(signer)).rejects.toThrow('no certified key');
    await mutate(
      vault,
      vault.token,
      `importAccountKey(brand: "${BRAND}", assertions: $a)`,
      'SigningKey',
      'keyId',
      { a: ['String!', certified.bytes.toString()] },
    );
    const all = ['vault_admin', 'key_custodian', 'production', 'approver', 'auditor', 'factory'];
    await expect(create((await token(all.join(', '))).token)).rejects.toThrow('Forbidden');
    const { autoImport } = await create(signer);
    // What a device imports: everything from the root down, and the login at the end.
    const stream = decodeAssertions(Buffer.from(autoImport));
    const database = new AssertionDatabase({ trusted: vault.trusted, store: new MemoryStore() });
    expect(database.addBatch(stream, new Date())).toEqual({ valid: true });
    const login = stream.at(-1);
    expect([login?.type, login?.signKeyId, login?.headers.serials]).toEqual([
      'system-user',
      made.keyId,
      ['L-1'],
    ]);
    const wrong = [{ until: inDays(31) }, { until: inDays(-1) }, { models: [] }, { sshKeys: [] }];
    for (const input of [...wrong, { passwordHash: 'open' }])
      await expect(create(signer, input), JSON.stringify(input)).rejects.toThrow('Invalid');
    await expect(create(signer, { models: ['acme-none'] })).rejects.toThrow('NotFound');
    // A key for logins signs no serials, and one for serials no logins.
    await expect(registerModel(vault, 'acme-mixed', { signingKeyId: made.keyId })).rejects.toThrow(
      'no such serial key',
    );
    // A gadget's key opens nothing of it: not as a bearer, not as a header, and no device path takes the form.
    await expect(create(apiKey)).rejects.toThrow('unauthorized');
    const body = JSON.stringify({ ...user, until: inDays(1) });
    const headers = { 'api-key': apiKey, 'content-type': 'application/json' };
    const calls = ['/v1/system-users', '/v1/assertions', '/v1/pivotuser', '/v1/serial'];
    for (const path of calls) {
      const { status, text } = await ask(vault.url + path, { method: 'POST', headers, body });
      expect(status, path).toBeGreaterThanOrEqual(400);
      expect(text).not.toContain('system-user\n');
    }
  });

  it('GraphQL that is wrong in itself is refused in words, and nothing internal is told', async () => {
    await expect(query(vault, vault.token, '{ nothing }')).rejects.toThrow('Cannot query field');
    await expect(query(vault, vault.token, '{{{')).rejects.toThrow('Syntax Error');
    const deep =
      '{ __schema { types { fields { type { ofType { ofType { ofType { ofType { name } } } } } } } } }';
    await expect(query(vault, vault.token, deep)).rejects.toThrow('bad-request');
    await expect(decide(vault, 'approve', 'no-uuid')).rejects.toThrow('NotFound');
    const text = await ask(`${vault.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: 'x',
    });
    expect(text.status).toBeLessThan(500);
  });
});
