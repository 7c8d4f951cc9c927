import { makeRsaKeySync } from '#libs/keyring';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  decodeAssertion,
  header,
  localSigner,
  signAssertion,
  type Assertion,
} from '#libs/assertions';
import { findAssertion, SnapRevision, Upload } from '#libs/database';
import {
  assertionDatabaseFor,
  ReviewService,
  sweepUnclaimedBlobs,
  StoreService,
} from '#libs/operations';
import { cli, snapcraftAt } from './craft-store/library-client.js';
import { PASSWORD, startPublisherStore, type PublisherStore } from './publisher-store.js';
import { type SnapcraftClient, SNAPS } from './snapcraft-client.js';
import { weakRequest } from './weak-request.js';

let store: PublisherStore;
let acme: SnapcraftClient;
let other: SnapcraftClient;
let brandId: string;

beforeAll(async () => {
  store = await startPublisherStore();
  brandId = (await store.addBrand('acme')).id;
  const zenith = await store.addBrand('zenith');
  await store.addPerson(brandId, 'dev@acme.test', ['publisher']);
  await store.addPerson(zenith.id, 'dev@zenith.test', ['publisher']);
  [acme, other] = [snapcraftAt(store.url), snapcraftAt(store.url)];
  await acme.login('dev@acme.test', PASSWORD);
  await other.login('dev@zenith.test', PASSWORD);
});
afterAll(() => store.stop());

const snapIds = new Map<string, string>();

async function register(name: string, who = acme): Promise<string> {
  const answer = await who.post('/dev/api/register-name/', {
    snap_name: name,
    is_private: false,
    series: '16',
  });
  expect(answer.status).toBe(201);
  snapIds.set(name, String(answer.json()['snap_id']));
  return String(answer.json()['snap_id']);
}

/** Upload, review, and the final status. */
async function publish(name: string, file: string, channels: string[] = []) {
  const statusUrl = await acme.upload(name, file, channels);
  expect((await acme.get(statusUrl)).json()).toEqual({
    code: 'being_processed',
    processed: false,
    can_release: false,
  });
  await store.drainReviews();
  return (await acme.get(statusUrl)).json();
}

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
  const privateKey = makeRsaKeySync(2048);
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
      const second = localSigner(makeRsaKeySync(2048));
      const refused = await send(await request('release', brandId, second, second));
      expect(refused.status).toBe(409);
      expect(refused.json().error_list[0].message).toContain('release');
    },
  );

  it('P31 and snaps show in the account with both spellings', async () => {
    const shown = localSigner(makeRsaKeySync(2048));
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
    const fresh = localSigner(makeRsaKeySync(2048));
    const good = await request('spare', brandId, fresh, fresh);
    const requests = {
      foreign: await request('spare', 'another-account', fresh, fresh),
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

describe('upload', () => {
  it(
    cli('P32 is refused before any bytes for an unknown name and for somebody else’s'),
    async () => {
      const unknown = await acme.post('/dev/api/snap-push/', {
        name: 'never-registered',
        dry_run: true,
      });
      expect([unknown.status, unknown.json().error_list[0].code]).toEqual([
        404,
        'resource-not-found',
      ]);
      const theirs = await other.post('/dev/api/snap-push/', { name: 'acme-hub', dry_run: true });
      expect([theirs.status, theirs.json().error_list[0].code]).toEqual([
        403,
        'resource-forbidden',
      ]);
    },
  );

  it(cli('P36 gives revision 1, then 2, as numbers'), async () => {
    await register('acme-dashboard');
    const first = await publish('acme-dashboard', 'acme-dashboard_1.snap');
    expect(first).toMatchObject({
      code: 'ready_to_release',
      processed: true,
      can_release: true,
      revision: 1,
    });
    expect(first).not.toHaveProperty('errors');
    const url = await acme.upload('acme-dashboard', 'acme-dashboard_2.snap');
    await store.drainReviews();
    expect((await acme.get(url)).json()).toMatchObject({ revision: 2 });
  });

  it('P44 has a code at any time, a revision in the end, and reasons for a failure', async () => {
    await register('devmode');
    const good = await publish('devmode', 'devmode_1.snap');
    expect(good).toMatchObject({ code: 'ready_to_release', revision: 1 });
    expect(good).not.toHaveProperty('errors');
    for (const file of ['devmode_1.snap', 'bad-truncated.snap', 'acme-base_1.snap']) {
      const failed = await publish('devmode', file);
      expect(failed['code']).toBe('processing_error');
      expect(failed.errors.length).toBeGreaterThan(0);
      for (const { code, message } of failed.errors) {
        expect(code).not.toBe('');
        expect(message).not.toBe('');
      }
    }
  });

  it('P45 the URL of the status is that of the configuration, whatever host the proxy asks', async () => {
    const snapId = await register('acme-proxied');
    if (!acme.credentials) throw new Error('no credentials');
    const form = {
      name: 'acme-proxied',
      series: '16',
      updown_id: await acme.sendFile(`${SNAPS}acme-base_1.snap`),
      binary_filesize: (await stat(`${SNAPS}acme-base_1.snap`)).size,
    };
    const headers = {
      authorization: acme.authorization(acme.credentials),
      'content-type': 'application/json',
      connection: 'close',
      host: 'inside.test:8080',
      'x-forwarded-host': 'elsewhere.test',
      'x-forwarded-proto': 'https',
      forwarded: 'host=elsewhere.test;proto=https',
    };
    const sending = httpRequest(`${store.url}/dev/api/snap-push/`, { method: 'POST', headers });
    sending.end(JSON.stringify(form));
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    const { status_details_url: url } = (await json(response)) as Record<string, string>;
    expect(url?.startsWith(`${store.url}/dev/api/snaps/${snapId}/builds/`)).toBe(true);
    await store.drainReviews();
  });

  it('signs declaration and revision so that they hold under the root', async () => {
    const snapId = snapIds.get('acme-dashboard') ?? '';
    const { resources } = store;
    await resources.db.asSystem(async (tx) => {
      const revision = await tx.findOneByOrFail(SnapRevision, { snapId, revision: 2 });
      const digest = Buffer.from(revision.sha3384, 'hex').toString('base64url');
      const found: Assertion[] = [];
      for (const [type, key] of [
        ['snap-declaration', `16/${snapId}`],
        ['snap-revision', digest],
      ] as const) {
        const row = await findAssertion(tx, type, key, 7);
        expect(row?.snapId).toBe(snapId);
        found.push(decodeAssertion(row?.bytes ?? Buffer.alloc(0)));
      }
      const [declaration, signed] = found;
      if (!declaration || !signed) throw new Error('missing');
      expect(header(declaration, 'publisher-id')).toBe(brandId);
      expect(header(declaration, 'snap-name')).toBe('acme-dashboard');
      expect(header(signed, 'snap-revision')).toBe('2');
      expect(header(signed, 'snap-size')).toBe(
        String((await stat(`${SNAPS}acme-dashboard_2.snap`)).size),
      );
      const shelf = await assertionDatabaseFor(tx, found);
      for (const one of found) expect(shelf.check(one, new Date())).toEqual({ valid: true });
    });
  });

  it(cli('P37 refuses identical content, naming the revision'), async () => {
    expect(await publish('acme-dashboard', 'acme-dashboard_1.snap')).toMatchObject({
      code: 'processing_error',
      processed: true,
      revision: null,
      errors: [{ message: 'this exact snap content already exists as revision 1' }],
    });
  });

  it(
    cli(
      'P38 P39 refuses a snap of another name, and what is no sound squashfs; the store stays up',
    ),
    async () => {
      const wrong = await publish('acme-hub', 'acme-dashboard_3.snap');
      expect(wrong).toMatchObject({ code: 'processing_error', revision: null });
      expect(wrong.errors[0].message).toContain("calls itself 'acme-dashboard'");
      for (const file of [
        'bad-not-squashfs.snap',
        'bad-tables.snap',
        'bad-truncated.snap',
        'bad-empty.snap',
      ]) {
        const status = await publish('acme-hub', file);
        expect([file, status['code']]).toEqual([file, 'processing_error']);
        expect(status.errors[0].message).toContain('squashfs');
      }
      expect((await acme.get('/dev/api/account')).status).toBe(200);
    },
  );

  it(cli('P40 releases to the wished channels as soon as the revision is accepted'), async () => {
    const status = await publish('acme-dashboard', 'acme-dashboard_3.snap', [
      'edge',
      'beta/fix-42',
    ]);
    expect(status).toMatchObject({ code: 'ready_to_release', revision: 3 });
    const map = (await acme.get('/api/v2/snaps/acme-dashboard/channel-map')).json();
    const rows = map['channel-map'].map((row) => `${row.channel} ${row.revision}`);
    expect(new Set(rows)).toEqual(new Set(['latest/edge 3', 'latest/beta/fix-42 3']));
  });

  it('says so when the revision is accepted but the wished release is not possible', async () => {
    await register('devel-grade');
    const status = await publish('devel-grade', 'devel-grade_1.snap', ['stable']);
    expect(status).toMatchObject({ revision: 1, errors: [{ code: 'not-released' }] });
    expect(status.errors[0].message).toContain('grade is devel');
  });

  it('refuses bad channels before anything is claimed', async () => {
    const size = (await stat(`${SNAPS}acme-base_1.snap`)).size;
    const updown_id = await acme.sendFile(`${SNAPS}acme-base_1.snap`);
    const push = (channels: string[], binary_filesize = size) =>
      acme.post('/dev/api/snap-push/', {
        name: 'acme-hub',
        series: '16',
        updown_id,
        binary_filesize,
        channels,
      });
    for (const bad of [
      ['Stable'],
      ['edge', 'a/b/c/d'],
      ['edge', ' edge'],
      [''],
      ['2.0/stable'],
      ['latest'],
    ]) {
      expect([bad, (await push(bad)).status]).toEqual([bad, 400]);
    }
    expect((await push([], size + 1)).status).toBe(400);
    expect((await push([])).status).toBe(202);
  });

  it('P35 refuses an upload id that is unknown, used, or claimed by somebody else', async () => {
    await register('zenith-app', other);
    const size = (await stat(`${SNAPS}acme-base_1.snap`)).size;
    const updown_id = await acme.sendFile(`${SNAPS}acme-base_1.snap`);
    const push = (who: SnapcraftClient, name: string, id: unknown) =>
      who.post('/dev/api/snap-push/', { name, series: '16', updown_id: id, binary_filesize: size });
    expect((await push(acme, 'acme-hub', 'up_7f')).status).toBe(400);
    expect((await push(acme, 'acme-hub', '00000000-0000-4000-8000-000000000000')).status).toBe(400);
    expect((await push(acme, 'acme-hub', updown_id)).status).toBe(202);
    expect((await push(acme, 'acme-hub', updown_id)).status).toBe(409);
    // To others it is what was never sent, byte for byte.
    const [theirs, none] = [updown_id, '00000000-0000-4000-8000-000000000001'];
    const [taken, unknown] = [
      await push(other, 'zenith-app', theirs),
      await push(other, 'zenith-app', none),
    ];
    expect(taken.status).toBe(400);
    expect(taken.text.replaceAll(String(theirs), none)).toBe(unknown.text);
  });

  it('P46 keeps the status from other accounts', async () => {
    const url = await acme.upload('acme-hub', 'acme-kernel_1.snap');
    expect((await other.get(url)).status).toBe(403);
    expect((await fetch(url)).status).toBe(401);
    await store.drainReviews();
  });

  it('P42 gives parallel pushes distinct revisions, and polling creates nothing', async () => {
    await register('epochal');
    const urls = await Promise.all(
      [1, 2, 3].map((n) => acme.upload('epochal', `epochal_${n}.snap`)),
    );
    for (const url of [...urls, ...urls]) await acme.get(url);
    const rows = await store.resources.db.asBrand(brandId, (tx) =>
      tx.findBy(Upload, { snapId: snapIds.get('epochal') ?? '' }),
    );
    expect(rows).toHaveLength(3);
    const reviews = new ReviewService(store.resources);
    // Reviewed at once by several workers, each upload by two.
    await Promise.all([...rows, ...rows].map(({ id }) => reviews.review(brandId, id)));
    await store.drainReviews();
    const statuses = await Promise.all(urls.map(async (url) => (await acme.get(url)).json()));
    expect(statuses.map((status) => status['revision'] as number).sort()).toEqual([1, 2, 3]);
    const { revisions } = (await acme.get('/api/v2/snaps/epochal/releases')).json();
    expect(revisions.map(({ revision }) => revision)).toEqual([3, 2, 1]);
  });

  it('P44 leaves snaps to a person where one must decide, and releases nothing meanwhile', async () => {
    for (const name of ['classic', 'superpower']) {
      await register(name);
      const status = await publish(name, `${name}_1.snap`, ['edge']);
      expect(status).toMatchObject({
        code: 'need_manual_review',
        processed: true,
        can_release: false,
        revision: 1,
      });
      expect(status.errors[0].message).toContain('needs a reviewer');
      expect((await acme.get(`/api/v2/snaps/${name}/channel-map`)).json()['channel-map']).toEqual(
        [],
      );
    }
  });
});

describe('a review that is killed', () => {
  /** Fails once at the n-th signature, as if the worker died there, and again from the start. */
  it.each([1, 2])(
    'at signature %i goes on when it runs again, and does nothing twice',
    async (n) => {
      const name = `compressed-${n === 1 ? 'xz' : 'lzo'}`;
      const snapId = await register(name);
      const url = await acme.upload(name, `${name}_1.snap`, ['edge']);
      const { id } = await store.resources.db.asBrand(brandId, (tx) =>
        tx.findOneByOrFail(Upload, { snapId }),
      );
      let signatures = 0;
      const dying = {
        ...store.resources,
        keys: {
          operatorAccountId: store.resources.keys.operatorAccountId,
          signer: async () => {
            signatures += 1;
            if (signatures === n) throw new Error('killed');
            return store.resources.keys.signer();
          },
          generate: (bits: number) => store.resources.keys.generate(bits),
        },
      };
      await expect(new ReviewService(dying).review(brandId, id)).rejects.toThrow('killed');
      expect((await acme.get(url)).json()).toMatchObject({ code: 'being_processed' });
      await store.drainReviews();
      await new ReviewService(store.resources).review(brandId, id);
      expect((await acme.get(url)).json()).toMatchObject({ code: 'ready_to_release', revision: 1 });
      const counts = await store.resources.db.asSystem((tx): Promise<unknown> =>
        tx.query(
          `SELECT (SELECT count(*) FROM store.snap_revisions WHERE snap_id = $1) AS revisions,
                (SELECT count(*) FROM store.assertions WHERE snap_id = $1) AS assertions,
                (SELECT count(*) FROM store.lane_events WHERE snap_id = $1) AS events,
                (SELECT last_revision FROM store.snaps WHERE id = $1) AS last`,
          [snapId],
        ),
      );
      expect(counts).toEqual([{ revisions: '1', assertions: '2', events: '1', last: 1 }]);
    },
  );

  it('is given up with a reason after the last attempt', async () => {
    const snapId = await register('compressed-zstd');
    const url = await acme.upload('compressed-zstd', 'compressed-zstd_1.snap');
    const { id } = await store.resources.db.asBrand(brandId, (tx) =>
      tx.findOneByOrFail(Upload, { snapId }),
    );
    await new ReviewService(store.resources).giveUp(brandId, id);
    expect((await acme.get(url)).json()).toMatchObject({
      code: 'processing_error',
      processed: true,
      revision: null,
    });
    await store.drainReviews();
    expect((await publish('compressed-zstd', 'compressed-zstd_1.snap'))['revision']).toBe(1);
  });
});

describe('bytes', () => {
  const blobFiles = (): string[] =>
    readdirSync(store.blobDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  const blobRows = async (): Promise<number> => {
    const [row] = await store.resources.db.asSystem((tx) =>
      tx.query<{ n: string }[]>('SELECT count(*) AS n FROM store.blobs'),
    );
    return Number(row?.n);
  };
  let before: { files: string[]; rows: number };
  beforeEach(async () => {
    before = { files: blobFiles().sort(), rows: await blobRows() };
  });

  const head = (length: number): string =>
    `POST /unscanned-upload/ HTTP/1.1\r\nHost: store\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${length}\r\n\r\n`;
  const part =
    '--b\r\nContent-Disposition: form-data; name="binary"; filename="x.snap"\r\nContent-Type: application/octet-stream\r\n\r\n';

  /** Sends raw bytes, then ends or breaks the connection; returns what came back. */
  function raw(text: string, how: 'wait' | 'break'): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(Number(new URL(store.url).port), '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString()));
      socket.on('close', () => resolve(answer));
      socket.on('error', () => resolve(answer));
      socket.write(text, () => {
        if (how === 'break') setTimeout(() => socket.destroy(), 100);
        else setTimeout(() => socket.end(), 300);
      });
    });
  }

  it('of an upload that breaks off leave nothing behind', async () => {
    await raw(head(1_000_000) + part + 'x'.repeat(200_000), 'break');
    await sleep(200);
    expect(blobFiles().sort()).toEqual(before.files);
    expect(await blobRows()).toBe(before.rows);
    expect((await acme.get('/dev/api/account')).status).toBe(200);
  });

  it('of an upload whose form is cut are refused, and leave nothing behind', async () => {
    const body = part + 'x'.repeat(1000);
    const answer = await raw(head(body.length) + body, 'wait');
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('error_list');
    expect(blobFiles().sort()).toEqual(before.files);
    expect(await blobRows()).toBe(before.rows);
  });

  it('are refused without a file and in another form', async () => {
    const url = `${store.url}/unscanned-upload/`;
    const form = new FormData();
    form.append('other', 'text');
    for (const init of [
      { body: form },
      { body: '{}', headers: { 'content-type': 'application/json' } },
      {},
    ]) {
      const answer = await fetch(url, { method: 'POST', ...init });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(await answer.json()).toHaveProperty('error_list');
    }
  });

  it('P34 need no login, have a cap and unguessable ids, and go when nobody claims them', async () => {
    const tooLarge = await raw(head(9 * 2 ** 30) + part, 'wait');
    expect(tooLarge).toMatch(/^HTTP\/1.1 413 /);
    const nobody = snapcraftAt(store.url);
    const form = new FormData();
    form.append('binary', new Blob(['some bytes']), 'x.snap');
    const bare = await nobody.sendForm(form);
    expect([bare.status, bare.json()]).toEqual([
      200,
      { successful: true, upload_id: expect.any(String) as string },
    ]);
    const ids = [
      await nobody.sendFile(`${SNAPS}acme-base_1.snap`),
      await nobody.sendFile(`${SNAPS}acme-base_1.snap`),
    ];
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await blobRows()).toBe(before.rows + 3);
    await sweepUnclaimedBlobs(store.resources);
    expect(await blobRows()).toBe(before.rows + 3);
    await store.shiftClock(25 * 3_600_000);
    await sweepUnclaimedBlobs(store.resources);
    await store.shiftClock(0);
    const left = await store.resources.db.asSystem((tx) =>
      tx.query<{ id: string }[]>('SELECT id FROM store.blobs WHERE claimed_at IS NULL'),
    );
    expect(left).toEqual([]);
    expect(blobFiles().length).toBeLessThanOrEqual(before.files.length);
  });

  it('pass in flat memory, 600 MiB of them', async () => {
    const megabytes = 600;
    const end = '\r\n--b--\r\n';
    const chunk = Buffer.alloc(2 ** 20, 7);
    const start = process.memoryUsage();
    let highest = 0;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(store.url).port), '127.0.0.1');
      let text = '';
      socket.on('error', reject);
      socket.on('data', (data) => {
        text += data.toString();
        if (text.includes('upload_id')) socket.end();
      });
      socket.on('close', () => resolve(text));
      socket.write(head(megabytes * chunk.length + part.length + end.length) + part);
      let sent = 0;
      const next = (): void => {
        const { arrayBuffers, heapUsed } = process.memoryUsage();
        highest = Math.max(highest, arrayBuffers + heapUsed);
        sent += 1;
        socket.write(chunk, () => (sent < megabytes ? next() : socket.write(end)));
      };
      next();
    });
    const id = /"upload_id":"([^"]+)"/.exec(answer)?.[1];
    // Client and server share this process; neither may hold the file.
    expect((highest - start.heapUsed - start.arrayBuffers) / 2 ** 20).toBeLessThan(150);
    const [row] = await store.resources.db.asSystem((tx) =>
      tx.query<{ size_bytes: string }[]>('SELECT size_bytes FROM store.blobs WHERE id = $1', [id]),
    );
    expect(Number(row?.size_bytes)).toBe(megabytes * chunk.length);
  });
});
