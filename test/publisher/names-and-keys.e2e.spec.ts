import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeAssertion, localSigner, signAssertion } from '#libs/assertions';
import { findAssertion } from '#libs/database';
import { assertionDatabaseFor, StoreService } from '#libs/operations';
import { cli, snapcraftAt } from './craft-store/library-client.js';
import { PASSWORD } from './publisher-store.js';
import { startTwoPublishers, type TwoPublishers } from './two-publishers.js';
import { weakRequest } from './weak-request.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

let store: TwoPublishers['store'];
let brandId: TwoPublishers['brandId'];
let acme: TwoPublishers['acme'];
let other: TwoPublishers['other'];
let register: TwoPublishers['register'];

beforeAll(async () => {
  ({ store, brandId, acme, other, register } = await startTwoPublishers());
});
afterAll(() => store?.stop());

describe('names', () => {
  it(cli('P27 are taken once, by one account'), async () => {
    await register('acme-hub');
    const again = await acme.post('/dev/api/register-name/', {
      snap_name: 'acme-hub',
      series: '16',
    });
    expect([again.status, again.json().error_list[0].code]).toEqual([409, 'already_owned']);
    const theirs = await other.post('/dev/api/register-name/', {
      snap_name: 'acme-hub',
      series: '16',
    });
    expect([theirs.status, theirs.json().error_list[0].code]).toEqual([409, 'already_registered']);
    expect(theirs.json()).toHaveProperty('register_name_url');
  });

  it(cli('P28 follow the rule of snapd'), async () => {
    for (const snap_name of [
      '-a',
      'a-',
      'a--b',
      'A',
      'a'.repeat(41),
      '1234',
      'a',
      'a_b',
      '',
      'a\u0000b',
    ]) {
      const answer = await acme.post('/dev/api/register-name/', { snap_name, series: '16' });
      expect([snap_name, answer.status]).toEqual([snap_name, 400]);
      expect(answer.json().error_list[0].message).not.toBe('');
    }
  });

  it(cli('P29 can be private, and lie in a store of the account only'), async () => {
    const { stores } = (await acme.get('/dev/api/account')).json();
    const post = (snap_name: string, more: object) =>
      acme.post('/dev/api/register-name/', { snap_name, series: '16', ...more });
    expect((await post('acme-secret', { is_private: true, store: stores[0].id })).status).toBe(201);
    expect((await post('acme-lost', { store: 'no-such-store' })).status).toBe(400);
    const second = await new StoreService(store.resources).create(store.operator, brandId, {
      name: 'acme second',
    });
    expect((await post('acme-elsewhere', { store: second.id })).status).toBe(201);
    const { snaps } = (await acme.get('/dev/api/account')).json();
    expect(snaps['16']['acme-secret']).toMatchObject({
      private: true,
      store: stores[0].id,
      status: 'Approved',
    });
    expect(snaps['16']['acme-elsewhere']).toMatchObject({ private: false, store: second.id });
    expect(snaps['16']).not.toHaveProperty('acme-lost');
  });
});

describe('keys', () => {
  const privateKey = cheapKey();
  const signer = localSigner(privateKey);

  async function request(
    name: string,
    accountId: string,
    by = signer,
    key = signer,
  ): Promise<string> {
    const headers = {
      'account-id': accountId,
      name,
      'public-key-sha3-384': key.publicKey.id,
      since: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    };
    const draft = { type: 'account-key-request', headers, body: key.publicKey.encoded } as const;
    return (await signAssertion(draft, by, new Date())).bytes.toString();
  }

  async function send(account_key_request: string) {
    const keys = snapcraftAt(store.url);
    await keys.login('dev@acme.test', PASSWORD, { permissions: ['modify_account_key'] });
    expect((await keys.get('/dev/api/account')).json()['account_id']).toBe(brandId);
    return keys.post('/dev/api/account/account-key', { account_key_request });
  }

  it(
    cli(
      'P25 P68 are certified by the store key for a login that can do nothing else, and a second one of the same name is refused',
    ),
    async () => {
      const answer = await send(await request('release', brandId));
      expect([answer.status, answer.json()]).toEqual([
        200,
        {
          account_key: {
            'account-id': brandId,
            name: 'release',
            'public-key-sha3-384': signer.publicKey.id,
          },
        },
      ]);
      const { 'account-keys': keys } = (await acme.get('/dev/api/account')).json();
      expect(keys).toMatchObject([{ name: 'release', 'public-key-sha3-384': signer.publicKey.id }]);
      const verdict = await store.resources.db.asSystem(async (tx) => {
        const row = await findAssertion(tx, 'account-key', signer.publicKey.id, 1);
        const key = decodeAssertion(row?.bytes ?? Buffer.alloc(0));
        return (await assertionDatabaseFor(tx, [key])).check(key, new Date());
      });
      expect(verdict).toEqual({ valid: true });
      const second = localSigner(cheapKey());
      const refused = await send(await request('release', brandId, second, second));
      expect(refused.status).toBe(409);
      expect(refused.json().error_list[0].message).toContain('release');
    },
  );

  it('P31 and snaps show in the account with both spellings', async () => {
    const shown = localSigner(cheapKey());
    expect((await send(await request('shown', brandId, shown, shown))).status).toBe(200);
    await register('acme-shown');
    const account = (await acme.get('/dev/api/account')).json();
    expect([account['id'], account['account_id']]).toEqual([brandId, brandId]);
    expect(account['account-keys']).toContainEqual(
      expect.objectContaining({ name: 'shown', 'public-key-sha3-384': shown.publicKey.id }),
    );
    expect(account['account_keys']).toEqual(account['account-keys']);
    expect(account.snaps['16']).toHaveProperty('acme-shown');
    for (const entry of Object.values(account.snaps['16'])) {
      expect(entry).toMatchObject({
        'snap-id': expect.stringMatching(/^[A-Za-z0-9]{32}$/) as string,
        status: 'Approved',
        since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
        private: expect.any(Boolean) as boolean,
      });
    }
  });

  it('P69 are refused for another account, after tampering, with a foreign signature, and when weak', async () => {
    const fresh = localSigner(cheapKey());
    const good = await request('spare', brandId, fresh, fresh);
    const zenith = String((await other.get('/dev/api/account')).json()['account_id']);
    const requests = {
      foreign: await request('spare', zenith, fresh, fresh),
      tampered: good.replace('name: spare', 'name: spire'),
      'signed by another': good.replace(
        /\n\n[^\n]+(\n[^\n]+)*\n$/,
        `\n\n${(await request('spare', brandId)).split('\n\n').at(-1)}`,
      ),
      weak: weakRequest(good),
      'no request': 'type: model\n',
      empty: '',
    };
    for (const [what, text] of Object.entries(requests)) {
      const answer = await send(text);
      expect([what, answer.status]).toEqual([what, 400]);
      if (what === 'weak') expect(answer.text).toContain('1024 bits');
    }
    expect((await send(good)).status).toBe(200);
  });
});
