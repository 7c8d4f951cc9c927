import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  getNamedType,
  isUnionType,
  isObjectType,
} from 'graphql';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accountKeyOf,
  decodeAssertion,
  publicKeyFromKeyObject,
  verifySelfSigned,
} from '#libs/assertions';
import {
  BRAND,
  certify,
  certifiedKey,
  codeOf,
  freshKey,
  modelAssertion,
  mutate,
  query,
  register,
  registerBrand,
  registerModel,
  runSql,
  serialIn,
  startVault,
  vectorBytes,
  type RunningVault,
  type TestModel,
} from './vault-kit.js';
import { initVault } from '../../apps/serial-vault/src/init-vault.js';
import { ask } from '../../tools/clients/http.js';

let vault: RunningVault;
let keyId = '';
let model: TestModel;
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
  keyId = await certifiedKey(vault);
  model = await registerModel(vault, 'acme-admin', { signingKeyId: keyId });
});
afterAll(() => vault?.stop());

const token = (scope: string, brand = BRAND): Promise<{ id: string; token: string }> =>
  mutate(
    vault,
    vault.token,
    `createToken(brand: "${brand}", input: { name: "t", scope: ${scope} })`,
    'NewToken',
    'id token',
  );

it('init is harmless when it runs twice, and refuses another root', async () => {
  expect(await initVault(vault.env)).toEqual({});
  expect(await query(vault, vault.token, '{ me { scope brandId } }')).toEqual({
    me: { scope: 'admin', brandId: null },
  });
});

describe('keys', () => {
  it('makes a key that proves itself, and takes only the account-key of a key of its own', async () => {
    const made = await mutate<{ keyId: string; accountKeyRequest: string; isCertified: boolean }>(
      vault,
      vault.token,
      `createSigningKey(brand: "${BRAND}", name: "second-serials")`,
      'SigningKey',
      'keyId accountKeyRequest isCertified',
    );
    const request = decodeAssertion(Buffer.from(made.accountKeyRequest));
    expect(request.headers).toMatchObject({
      'account-id': BRAND,
      name: 'second-serials',
      'public-key-sha3-384': made.keyId,
    });
    const { publicKey } = accountKeyOf(request);
    expect(publicKey.bits).toBe(4096);
    expect(verifySelfSigned(request, publicKey)).toEqual({ valid: true });
    expect(made.isCertified).toBe(false);
    await expect(registerModel(vault, 'acme-early', { signingKeyId: made.keyId })).rejects.toThrow(
      'not certified',
    );
    const importing = (text: string): Promise<unknown> =>
      mutate(
        vault,
        vault.token,
        `importAccountKey(brand: "${BRAND}", assertions: $a)`,
        'SigningKey',
        'isCertified',
        { a: ['String!', text] },
      );
    const accountKey = await certify(request);
    await expect(
      importing(accountKey.bytes.toString().replace('second-serials', 'third-serials')),
    ).rejects.toThrow('cannot trust');
    await expect(importing('garbage')).rejects.toThrow('Invalid');
    expect(await importing(accountKey.bytes.toString())).toMatchObject({ isCertified: true });
    await expect(
      mutate(
        vault,
        vault.token,
        `createSigningKey(brand: "${BRAND}", name: "second-serials")`,
        'SigningKey',
        'keyId',
      ),
    ).rejects.toThrow('Conflict');
  });

  it('of two who make a key of one name at once, one is told that the name is taken; an account is an id', async () => {
    const make = (args: string) =>
      mutate(
        vault,
        vault.token,
        `createSigningKey(brand: "${BRAND}", ${args})`,
        'SigningKey',
        'keyId',
      );
    const outcomes = await Promise.allSettled([
      make('name: "twin-serials"'),
      make('name: "twin-serials"'),
    ]);
    const refusals = outcomes.flatMap((one) =>
      one.status === 'rejected' ? [String(one.reason)] : [],
    );
    expect(refusals).toEqual([expect.stringContaining('Conflict')]);
    await expect(make('name: "third-serials", account: "a b"')).rejects.toThrow('Invalid');
  });

  it('V72 a model cannot be saved with a key whose account-key belongs to another account', async () => {
    const made = await mutate<{ keyId: string; accountKeyRequest: string }>(
      vault,
      vault.token,
      `createSigningKey(brand: "${BRAND}", name: "delegated", account: "selfroot")`,
      'SigningKey',
      'keyId accountKeyRequest',
    );
    const accountKey = await certify(decodeAssertion(Buffer.from(made.accountKeyRequest)));
    await mutate(
      vault,
      vault.token,
      `importAccountKey(brand: "${BRAND}", assertions: $a)`,
      'SigningKey',
      'isCertified',
      {
        a: ['String!', accountKey.bytes.toString()],
      },
    );
    await expect(
      registerModel(vault, 'acme-delegating', { signingKeyId: made.keyId }),
    ).rejects.toThrow('serial-authority');
    // V37's other half: the model that names the account takes it, and the device gets its serial.
    const allowing = await modelAssertion('acme-delegating', { 'serial-authority': ['selfroot'] });
    const delegating = await registerModel(
      vault,
      'acme-delegating',
      { signingKeyId: made.keyId },
      allowing,
    );
    const answer = await register(vault, delegating, freshKey(), 'DEL-1');
    expect(answer.status).toBe(200);
    expect(serialIn(answer.text).headers['authority-id']).toBe('selfroot');
    // A device that shows an older model without that entry gets nothing.
    const older = { ...delegating, assertion: await modelAssertion('acme-delegating') };
    const refused = await register(vault, older, freshKey(), 'DEL-2');
    expect([refused.status, codeOf(refused)]).toEqual([503, 'signing-key-unavailable']);
  });

  it('V70 a serial outside the constraints of the account-key is not signed', async () => {
    const constrained = await certifiedKey(vault, 'constrained', {
      format: '1',
      constraints: [{ headers: { type: 'serial', model: 'acme-inside-.*' } }],
    });
    const inside = await registerModel(vault, 'acme-inside-1', { signingKeyId: constrained });
    const outside = await registerModel(vault, 'acme-outside-1', { signingKeyId: constrained });
    expect((await register(vault, inside, freshKey(), 'C-1')).status).toBe(200);
    const refused = await register(vault, outside, freshKey(), 'C-1');
    expect([refused.status, codeOf(refused)]).toEqual([503, 'signing-key-unavailable']);
    expect(await vault.sql(`SELECT 1 FROM vault.devices WHERE model = 'acme-outside-1'`)).toEqual(
      [],
    );
  });

  it('V67 a key is disabled only with the names of its models and devices; then their devices get 503, with an alarm', async () => {
    const key = await certifiedKey(vault, 'to-disable');
    const dependent = await registerModel(vault, 'acme-dependent', { signingKeyId: key });
    const disable = (confirm: string[]): Promise<unknown> =>
      mutate(
        vault,
        vault.token,
        `setSigningKeyEnabled(brand: "${BRAND}", keyId: "${key}", isEnabled: false, confirmModels: $m)`,
        'SigningKey',
        'isEnabled',
        {
          m: ['[ID!]', confirm],
        },
      );
    expect((await register(vault, dependent, freshKey(), 'D-0')).status).toBe(200);
    expect((await register(vault, model, freshKey(), 'D-9')).status).toBe(200);
    await expect(disable([])).rejects.toThrow('acme-dependent (1 devices)');
    const before = await alarms('signing-key-unavailable');
    await disable(['acme-dependent']);
    const refused = await register(vault, dependent, freshKey(), 'D-1');
    expect([refused.status, codeOf(refused)]).toEqual([503, 'signing-key-unavailable']);
    expect(await alarms('signing-key-unavailable')).toBe(before + 1);
    await mutate(
      vault,
      vault.token,
      `setSigningKeyEnabled(brand: "${BRAND}", keyId: "${key}", isEnabled: true)`,
      'SigningKey',
      'isEnabled',
    );
    expect((await register(vault, dependent, freshKey(), 'D-1')).status).toBe(200);
  });

  it('V64 a sealed key in the row of another signs nothing', async () => {
    const [left, right] = [await certifiedKey(vault, 'row-a'), await certifiedKey(vault, 'row-b')];
    const swapped = await registerModel(vault, 'acme-rows', { signingKeyId: right });
    const put = (from: string, to: string): Promise<unknown> =>
      vault.sql(
        `UPDATE vault.signing_keys SET sealed = (SELECT sealed FROM vault.signing_keys WHERE key_id = $1)
         WHERE key_id = $2`,
        [from, to],
      );
    const [kept] = await vault.sql<{ sealed: string }>(
      'SELECT sealed FROM vault.signing_keys WHERE key_id = $1',
      [right],
    );
    await put(left, right);
    await vault.restart();
    const device = freshKey();
    const refused = await register(vault, swapped, device, 'ROW-1');
    expect([refused.status, codeOf(refused)]).toEqual([503, 'signing-key-unavailable']);
    await vault.sql('UPDATE vault.signing_keys SET sealed = $1 WHERE key_id = $2', [
      kept?.sealed,
      right,
    ]);
    expect((await register(vault, swapped, device, 'ROW-1')).status).toBe(200);
  });

  it('V66 makes keys of 4096 bits that do not come out, and takes PEM and armour, with and without passphrase', async () => {
    const made = await certifiedKey(vault, 'inside');
    const [row] = await vault.sql<{ sealed: string; request: string }>(
      'SELECT sealed, account_key_request AS request FROM vault.signing_keys WHERE key_id = $1',
      [made],
    );
    const request = decodeAssertion(Buffer.from(row?.request ?? ''));
    expect(accountKeyOf(request).publicKey.bits).toBe(4096);
    // No field gives what is sealed, and what is sealed is no key.
    expect(await readSchema()).not.toMatch(/^ +\w*(?:sealed|private|secret)\w*[:(]/im);
    expect(() => createPrivateKey(row?.sealed ?? '')).toThrow();

    const own = generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey;
    const other = generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey;
    const pem = (key: KeyObject, passphrase?: string): string =>
      key
        .export({
          type: 'pkcs8',
          format: 'pem',
          ...(passphrase !== undefined && { cipher: 'aes-256-cbc', passphrase }),
        })
        .toString();
    const armour = (name: string): Promise<string> =>
      readFile(new URL(`../../libs/keyring/testing/${name}.asc`, import.meta.url), 'utf8');
    const take = (name: string, key: string, passphrase?: string): Promise<{ keyId: string }> =>
      mutate(
        vault,
        vault.token,
        `importSigningKey(brand: "${BRAND}", name: "${name}", key: $k, passphrase: $p)`,
        'SigningKey',
        'keyId',
        { k: ['String!', key], p: ['String', passphrase ?? null] },
      );
    const idOf = (key: KeyObject): string => publicKeyFromKeyObject(createPublicKey(key)).id;
    expect((await take('pem-open', pem(own))).keyId).toBe(idOf(own));
    await expect(take('pem-locked', pem(other, 'horse'), 'cow')).rejects.toThrow('passphrase');
    expect((await take('pem-locked', pem(other, 'horse'), 'horse')).keyId).toBe(idOf(other));
    const locked = await armour('gnupg-protected');
    await expect(take('gpg', locked)).rejects.toThrow('passphrase');
    const { keyId: fromGpg } = await take('gpg', locked, 'correct horse größer');
    // The same key without passphrase is the same key.
    await expect(take('gpg-open', await armour('gnupg-clear'))).rejects.toThrow(fromGpg);
    await remove(fromGpg);
    expect((await take('gpg-open', await armour('gnupg-clear'))).keyId).toBe(fromGpg);
    const weak = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    await expect(take('weak', pem(weak))).rejects.toThrow('4096');
    const [taken] = await vault.sql<{ request: string }>(
      'SELECT account_key_request AS request FROM vault.signing_keys WHERE key_id = $1',
      [fromGpg],
    );
    const imported = decodeAssertion(Buffer.from(taken?.request ?? ''));
    expect(verifySelfSigned(imported, accountKeyOf(imported).publicKey).valid).toBe(true);
  });

  it('V68 a key that a policy ever named cannot be deleted, and going back to a policy makes a new revision', async () => {
    const [first, second] = [await certifiedKey(vault, 'once'), await certifiedKey(vault, 'now')];
    const { name } = await registerModel(vault, 'acme-rollback', { signingKeyId: first });
    const set = `setModelPolicy(brand: "${BRAND}", model: "${name}", policy: { signingKeyId: "${second}" })`;
    expect(await mutate(vault, vault.token, set, 'Model', 'policyRevision')).toMatchObject({
      policyRevision: 2,
    });
    await expect(remove(first)).rejects.toThrow(/Conflict.*policy 1 of model acme-rollback/);
    await expect(remove(second)).rejects.toThrow('Conflict');
    const rollback = (revision: number): Promise<unknown> =>
      mutate(
        vault,
        vault.token,
        `rollbackModelPolicy(brand: "${BRAND}", model: "${name}", revision: ${revision})`,
        'Model',
        'policyRevision policy { signingKeyId minimumKeyBits }',
      );
    expect(await rollback(1)).toMatchObject({
      policyRevision: 3,
      policy: { signingKeyId: first, minimumKeyBits: 2048 },
    });
    await expect(rollback(9)).rejects.toThrow('NotFound');
    const rows = await vault.sql(
      `SELECT revision FROM vault.model_policies WHERE model = $1 ORDER BY revision`,
      [name],
    );
    expect(rows).toEqual([{ revision: 1 }, { revision: 2 }, { revision: 3 }]);
  });
});

const remove = (key: string): Promise<unknown> =>
  mutate(
    vault,
    vault.token,
    `deleteSigningKey(brand: "${BRAND}", keyId: "${key}")`,
    'SigningKey',
    'keyId',
  );

/** How often an operator was told. */
async function alarms(name: string): Promise<number> {
  const { text } = await ask(`${vault.opsUrl()}/metrics`);
  const line = new RegExp(`^brandstore_alarms_total\\{alarm="${name}".*\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1] ?? 0);
}

describe('logs', () => {
  it('V74 every outcome makes a row, which is there when the answer is', async () => {
    const row = async (serial: string): Promise<string> => {
      const [last] = await vault.sql<{ outcome: string; code: string }>(
        'SELECT outcome, code FROM vault.signing_log WHERE serial = $1 ORDER BY seq DESC LIMIT 1',
        [serial],
      );
      return `${last?.outcome ?? 'no row'} ${last?.code ?? ''}`.trim();
    };
    const key = freshKey();
    await register(vault, model, key, 'LOG-1');
    expect(await row('LOG-1')).toBe('signed');
    await register(vault, model, key, 'LOG-1');
    expect(await row('LOG-1')).toBe('repeated');
    await register(vault, model, freshKey(), 'LOG-1');
    expect(await row('LOG-1')).toBe('pending');
    const { pending } = await query<{ pending: { id: string; serial: string }[] }>(
      vault,
      vault.token,
      `{ pending(brand: "${BRAND}") { id serial } }`,
    );
    await mutate(
      vault,
      vault.token,
      `approveRequest(brand: "${BRAND}", id: "${pending.find(({ serial }) => serial === 'LOG-1')?.id}")`,
      'PendingRequest',
      'state',
    );
    expect(await row('LOG-1')).toBe('approved');
    await register(vault, model, key, 'LOG-2');
    expect(await row('LOG-2')).toBe('refused duplicate-device-key');
    await register(vault, model, freshKey(), 'LOG 3');
    expect(await row('LOG 3')).toBe('refused bad-serial');
    const before = await vault.sql<{ count: string }>(
      `SELECT count(*) FROM vault.signing_log WHERE brand_id = '-'`,
    );
    await ask(`${vault.url}/v1/serial`, {
      method: 'POST',
      headers: { 'api-key': 'n'.repeat(64) },
      body: 'x',
    });
    const after = await vault.sql<{ count: string }>(
      `SELECT count(*) FROM vault.signing_log WHERE brand_id = '-'`,
    );
    expect(Number(after[0]?.count)).toBe(Number(before[0]?.count) + 1);
  });

  it('V75 the role of the service cannot change or delete a row', async () => {
    for (const table of ['signing_log', 'audit_log', 'device_events', 'model_policies']) {
      for (const statement of [
        `UPDATE vault.${table} SET brand_id = 'x'`,
        `DELETE FROM vault.${table}`,
        `TRUNCATE vault.${table}`,
      ]) {
        await expect(runSql(vault.urls.vault, statement)).rejects.toThrow('permission denied');
      }
    }
    // A transaction for another brand sees nothing of this one (decisions 4).
    const visible = async (brand: string): Promise<unknown> => {
      const client = new Client({ connectionString: vault.urls.vault });
      await client.connect();
      await client.query(`SELECT set_config('app.brand', $1, false)`, [brand]);
      const { rowCount } = await client.query('SELECT 1 FROM vault.devices');
      await client.end();
      return rowCount;
    };
    expect([await visible('foreign'), await visible('')]).toEqual([0, 0]);
    expect(await visible(BRAND)).toBeGreaterThan(0);
    // Nor does it see the store, nor the store's role the vault.
    await expect(runSql(vault.urls.vault, 'SELECT 1 FROM store.accounts')).rejects.toThrow(
      'permission denied',
    );
    for (const role of ['store', 'worker'] as const)
      await expect(runSql(vault.urls[role], 'SELECT 1 FROM vault.devices')).rejects.toThrow(
        'permission denied',
      );
  });

  it('V76 the chain shows an altered, a dropped and a swapped row', async () => {
    const verify = async (): Promise<unknown> =>
      query(vault, vault.token, `{ verifyLogs(brand: "${BRAND}") { signingLog auditLog } }`);
    const sound = { verifyLogs: { signingLog: null, auditLog: null } };
    for (let index = 0; index < 3; index++)
      await register(vault, model, freshKey(), `CHAIN-${index}`);
    expect(await verify()).toEqual(sound);
    const spoil = async (change: string, undo: string, first: number): Promise<void> => {
      await vault.sql(change);
      expect(await verify()).toEqual({ verifyLogs: { signingLog: first, auditLog: null } });
      await vault.sql(undo);
      expect(await verify()).toEqual(sound);
    };
    await vault.sql('CREATE TABLE public.kept AS SELECT * FROM vault.signing_log');
    const restore = (seqs: string): string =>
      `DELETE FROM vault.signing_log WHERE brand_id = '${BRAND}' AND seq IN (${seqs}); INSERT INTO vault.signing_log SELECT * FROM public.kept WHERE brand_id = '${BRAND}' AND seq IN (${seqs})`;
    await spoil(
      `UPDATE vault.signing_log SET serial = 'other' WHERE brand_id = '${BRAND}' AND seq = 3`,
      restore('3'),
      3,
    );
    await spoil(
      `DELETE FROM vault.signing_log WHERE brand_id = '${BRAND}' AND seq = 4`,
      restore('4'),
      4,
    );
    await spoil(
      `UPDATE vault.signing_log SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE brand_id = '${BRAND}' AND seq IN (2, 3); UPDATE vault.signing_log SET seq = -seq WHERE seq < 0`,
      restore('2, 3'),
      2,
    );
    // The address is personal data and may go without a trace in the chain.
    await vault.sql(`UPDATE vault.signing_log SET address = ''`);
    expect(await verify()).toEqual(sound);
    await vault.sql('DROP TABLE public.kept');
  });

  it('V78 pages of the signing log stay whole while rows arrive, and can be searched', async () => {
    const page = (
      args: string,
    ): Promise<{
      signingLog: { items: { seq: number; serial: string }[]; nextCursor: string | null };
    }> =>
      query(
        vault,
        vault.token,
        `{ signingLog(brand: "${BRAND}"${args}) { items { seq serial outcome } nextCursor } }`,
      );
    const total = (await page(', pageSize: 500')).signingLog.items.length;
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const { signingLog } = await page(
        `, pageSize: 5${cursor === null ? '' : `, cursor: "${cursor}"`}`,
      );
      seen.push(...signingLog.items.map(({ seq }) => seq));
      cursor = signingLog.nextCursor;
      if (seen.length === 5) await register(vault, model, freshKey(), 'PAGING-1');
    } while (cursor !== null);
    expect(seen).toEqual(Array.from({ length: total }, (_, index) => total - index));
    const found = async (filter: string): Promise<string[]> => {
      const { signingLog } = await page(`, pageSize: 500, filter: { ${filter} }`);
      return signingLog.items.map(({ serial }) => serial);
    };
    expect(await found('serial: "AGING"')).toEqual(['PAGING-1']);
    const signer = freshKey();
    const other = await registerModel(vault, 'acme-searched', { signingKeyId: keyId });
    await register(vault, other, signer, 'SEARCH-1');
    await register(vault, other, signer, 'SEARCH-2');
    const both = ['SEARCH-2', 'SEARCH-1'];
    expect(await found(`deviceKeyId: "${signer.publicKey.id}"`)).toEqual(both);
    expect(await found(`apiKeyId: "${other.apiKeyId}"`)).toEqual(both);
    expect(await found(`model: "acme-searched", signKeyId: "${keyId}"`)).toEqual(['SEARCH-1']);
    expect(await found('model: "acme-searched", code: "duplicate-device-key"')).toEqual([
      'SEARCH-2',
    ]);
    expect(await found('model: "acme-searched", address: "127.0.0.1"')).toEqual(both);
    expect(await found('address: "192.0.2.1"')).toEqual([]);
    const [{ at } = { at: new Date() }] = await vault.sql<{ at: Date }>(
      `SELECT at FROM vault.signing_log WHERE serial = 'SEARCH-2'`,
    );
    const when = at.toISOString();
    expect(await found(`model: "acme-searched", from: "${when}"`)).toEqual(['SEARCH-2']);
    expect(await found(`model: "acme-searched", until: "${when}"`)).toEqual(['SEARCH-1']);
    await expect(found('apiKeyId: "mine"')).rejects.toThrow('cannot search');
    await expect(page(', pageSize: 501')).rejects.toThrow('1 to 500');
    await expect(page(', cursor: "x"')).rejects.toThrow('cursor');
  });

  it('V79 every administrative write has its audit row, and none holds a secret', async () => {
    const done: string[] = [];
    const expected: string[] = [];
    /** One successful mutation and the action that its audit row must name. */
    const act = async <T>(
      action: string,
      call: string,
      type: string,
      fields: string,
      text?: string,
    ): Promise<T> => {
      done.push(/^\w+/.exec(call)?.[0] ?? '');
      expected.push(action);
      return mutate<T>(
        vault,
        vault.token,
        call,
        type,
        fields,
        text === undefined ? {} : { a: ['String!', text] },
      );
    };
    const actions = async (): Promise<{ action: string; actor: string; detail: string }[]> =>
      vault.sql(
        `SELECT action, actor, detail::text FROM vault.audit_log WHERE brand_id IN ('${BRAND}', '-') ORDER BY at, brand_id, seq`,
      );
    const before = (await actions()).length;
    const brand = `brand: "${BRAND}"`;
    const chain = vectorBytes('chain/brand-account.assert').toString();
    await act('register-brand', `registerBrand(${brand}, assertions: $a)`, 'Brand', 'id', chain);
    await act(
      'import-assertions',
      `importAssertions(${brand}, assertions: $a)`,
      'ImportedAssertions',
      'keyIds',
      chain,
    );
    const key = await act<{ keyId: string; accountKeyRequest: string }>(
      'create-signing-key',
      `createSigningKey(${brand}, name: "audited")`,
      'SigningKey',
      'keyId accountKeyRequest',
    );
    const pem = generateKeyPairSync('rsa', { modulusLength: 4096 })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString();
    const brought = await act<{ keyId: string }>(
      'import-signing-key',
      `importSigningKey(${brand}, name: "brought", key: $a)`,
      'SigningKey',
      'keyId',
      pem,
    );
    await act(
      'delete-signing-key',
      `deleteSigningKey(${brand}, keyId: "${brought.keyId}")`,
      'SigningKey',
      'keyId',
    );
    const accountKey = (
      await certify(decodeAssertion(Buffer.from(key.accountKeyRequest)))
    ).bytes.toString();
    await act(
      'import-account-key',
      `importAccountKey(${brand}, assertions: $a)`,
      'SigningKey',
      'keyId',
      accountKey,
    );
    const assertion = (await modelAssertion('acme-audited')).bytes.toString();
    const policy = `policy: { signingKeyId: "${key.keyId}", minimumKeyBits: 2048 }`;
    await act(
      'register-model',
      `registerModel(${brand}, assertion: $a, ${policy})`,
      'Model',
      'model',
      assertion,
    );
    await act('pull-models', `pullModels(${brand})`, 'PullReport', 'taken');
    const audited = `${brand}, model: "acme-audited"`;
    await act('set-model-policy', `setModelPolicy(${audited}, ${policy})`, 'Model', 'model');
    await act('set-model-policy', `rollbackModelPolicy(${audited}, revision: 1)`, 'Model', 'model');
    await act('deactivate-model', `setModelActive(${audited}, isActive: false)`, 'Model', 'model');
    await act('activate-model', `setModelActive(${audited}, isActive: true)`, 'Model', 'model');
    await act(
      'revoke-model-revisions',
      `setRevokedModelRevisions(${audited}, revisions: [9])`,
      'Model',
      'model',
    );
    const apiKey = await act<{ id: string; key: string }>(
      'create-api-key',
      `createApiKey(${audited}, input: { name: "k" })`,
      'NewApiKey',
      'id key',
    );
    const made = await act<{ id: string; token: string }>(
      'create-token',
      `createToken(${brand}, input: { name: "t", scope: viewer })`,
      'NewToken',
      'id token',
    );
    await act('revoke-token', `revokeToken(${brand}, id: "${made.id}")`, 'Done', 'isDone');
    await act('list-serials', `listSerials(${audited}, serials: ["X1"])`, 'ListedSerials', 'added');
    const { items } = await act<{ items: { id: string }[] }>(
      'allow-remodel',
      `allowRemodels(${brand}, rules: [{ fromModel: "acme-audited", toModel: "acme-admin" }])`,
      'RemodelRules',
      'items { id }',
    );
    await act(
      'end-remodel-rule',
      `endRemodelRules(${brand}, ids: ["${items[0]?.id}"])`,
      'RemodelRules',
      'items { id }',
    );
    await act(
      'disable-signing-key',
      `setSigningKeyEnabled(${brand}, keyId: "${key.keyId}", isEnabled: false, confirmModels: ["acme-audited"])`,
      'SigningKey',
      'keyId',
    );
    for (const signer of [freshKey(), freshKey(), freshKey()])
      await register(vault, model, signer, 'AUDIT-1');
    const { pending } = await query<{ pending: { id: string; serial: string }[] }>(
      vault,
      vault.token,
      `{ pending(${brand}) { id serial } }`,
    );
    const [first, second] = pending.filter(({ serial }) => serial === 'AUDIT-1');
    await act(
      'approve-request',
      `approveRequest(${brand}, id: "${first?.id}")`,
      'PendingRequest',
      'id',
    );
    await act(
      'refuse-request',
      `refuseRequest(${brand}, id: "${second?.id}")`,
      'PendingRequest',
      'id',
    );
    await act(
      'revoke-device',
      `revokeDevice(${brand}, model: "acme-admin", serial: "AUDIT-1", reason: "r")`,
      'Device',
      'serial',
    );
    await act('end-api-key', `endApiKey(${brand}, id: "${apiKey.id}")`, 'ApiKey', 'id');
    await act(
      'block-device-key',
      `blockDeviceKey(deviceKeyId: "some-key", reason: "leaked")`,
      'Done',
      'isDone',
    );

    const rows = (await actions()).slice(before);
    expect(rows.map(({ action }) => action)).toEqual(expected);
    expect(rows.every(({ actor }) => actor.startsWith('token:'))).toBe(true);
    for (const secret of [apiKey.key, made.token, vault.token, pem.slice(100, 160)])
      expect(JSON.stringify(rows)).not.toContain(secret);
    const schema = buildSchema(await readSchema());
    expect(new Set(done)).toEqual(
      new Set(Object.keys(schema.getMutationType()?.getFields() ?? {})),
    );
  });
});

const readSchema = (): Promise<string> =>
  readFile(new URL('../../apps/serial-vault/schema.graphql', import.meta.url), 'utf8');

/** Any value of the right shape: the gate must answer before anybody looks at it. */
function sample(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return sample(type.ofType);
  if (isListType(type)) return [];
  const named = getNamedType(type);
  if (isEnumType(named)) return named.getValues()[0]?.name;
  if (isInputObjectType(named))
    return Object.fromEntries(
      Object.values(named.getFields())
        .filter((field) => isNonNullType(field.type))
        .map((field) => [field.name, sample(field.type)]),
    );
  return (
    {
      Int: 1,
      Boolean: true,
      DateTime: '2026-01-01T00:00:00Z',
      ID: '3f0c1f4e-2a11-4b6e-9d57-0d9e0c1b2a34',
    }[named.name] ?? 'x'
  );
}

describe('isolation', () => {
  it('no field lets a foreign brand in, and each keeps to its scope', async () => {
    const schema = buildSchema(await readSchema());
    await vault.sql(
      `INSERT INTO vault.brands (id, username, display_name) VALUES ('foreign', 'foreign', 'Foreign')`,
    );
    const tokens: Record<string, string> = { none: '' };
    for (const scope of ['viewer', 'operator', 'admin']) {
      tokens[scope] = (await token(scope)).token;
      tokens[`foreign ${scope}`] = (await token(scope, 'foreign')).token;
    }
    const call = async (
      kind: string,
      field: GraphQLField<unknown, unknown>,
      who: string,
    ): Promise<string> => {
      const args = field.args.filter((arg) => isNonNullType(arg.type));
      const declared = args.map((arg) => `$${arg.name}: ${arg.type.toString()}`).join(', ');
      const given = args.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
      const named = getNamedType(field.type);
      const selection = isUnionType(named) || isObjectType(named) ? '{ __typename }' : '';
      const variables = Object.fromEntries(
        args.map((arg) => [arg.name, arg.name === 'brand' ? BRAND : sample(arg.type)]),
      );
      const document = `${kind} ${declared ? `(${declared})` : ''} { r: ${field.name}${given ? `(${given})` : ''} ${selection} }`;
      try {
        const { r } = await query<{ r: { __typename?: string } | null }>(
          vault,
          tokens[who] ?? '',
          document,
          variables,
        );
        return { Forbidden: 'forbidden', NotFound: 'not-found' }[r?.__typename ?? ''] ?? 'let in';
      } catch (error) {
        const code = error instanceof Error ? (error.message.split(':')[0] ?? '') : '';
        return ['unauthorized', 'forbidden', 'not-found'].includes(code) ? code : 'let in';
      }
    };
    const fields = [
      ...Object.values(schema.getQueryType()?.getFields() ?? {}).map(
        (field) => ['query', field] as const,
      ),
      ...Object.values(schema.getMutationType()?.getFields() ?? {}).map(
        (field) => ['mutation', field] as const,
      ),
    ];
    expect(fields.length).toBeGreaterThan(30);
    const ofInstallation = ['registerBrand', 'blockDeviceKey'];
    const ofOperator = [
      'listSerials',
      'approveRequest',
      'refuseRequest',
      'revokeDevice',
      'pullModels',
    ];
    for (const [kind, field] of fields) {
      const place = `${kind} ${field.name}`;
      expect([place, await call(kind, field, 'none')]).toEqual([place, 'unauthorized']);
      for (const scope of ['viewer', 'operator', 'admin']) {
        const isForeignVisible = ['me', 'brands'].includes(field.name);
        const foreign = await call(kind, field, `foreign ${scope}`);
        expect([place, foreign]).toEqual([
          place,
          isForeignVisible
            ? 'let in'
            : ofInstallation.includes(field.name)
              ? 'forbidden'
              : 'not-found',
        ]);
      }
      if (ofInstallation.includes(field.name)) {
        expect([place, await call(kind, field, 'admin')]).toEqual([place, 'forbidden']);
      } else if (kind === 'mutation') {
        expect([place, await call(kind, field, 'viewer')]).toEqual([place, 'forbidden']);
        if (!ofOperator.includes(field.name))
          expect([place, await call(kind, field, 'operator')]).toEqual([place, 'forbidden']);
      } else {
        expect([place, await call(kind, field, 'viewer')]).toEqual([place, 'let in']);
      }
    }
    const { brands } = await query<{ brands: { id: string }[] }>(
      vault,
      tokens['foreign viewer'] ?? '',
      '{ brands { id } }',
    );
    expect(brands.map(({ id }) => id)).toEqual(['foreign']);
  });

  it('a revoked or expired token ends at once', async () => {
    const made = await token('admin');
    const me = (): Promise<unknown> => query(vault, made.token, '{ me { scope } }');
    expect(await me()).toEqual({ me: { scope: 'admin' } });
    await mutate(
      vault,
      vault.token,
      `revokeToken(brand: "${BRAND}", id: "${made.id}")`,
      'Done',
      'isDone',
    );
    await expect(me()).rejects.toThrow('unauthorized');
  });

  it('GraphQL that is wrong in itself is refused in words, and nothing internal is told', async () => {
    await expect(query(vault, vault.token, '{ nothing }')).rejects.toThrow('Cannot query field');
    await expect(query(vault, vault.token, '{{{')).rejects.toThrow('Syntax Error');
    const deep =
      '{ __schema { types { fields { type { ofType { ofType { ofType { ofType { name } } } } } } } } }';
    await expect(query(vault, vault.token, deep)).rejects.toThrow('bad-request');
    await expect(
      mutate(
        vault,
        vault.token,
        `approveRequest(brand: "${BRAND}", id: "no-uuid")`,
        'PendingRequest',
        'state',
      ),
    ).rejects.toThrow('NotFound');
    const text = await ask(`${vault.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: 'x',
    });
    expect(text.status).toBeLessThan(500);
  });
});
