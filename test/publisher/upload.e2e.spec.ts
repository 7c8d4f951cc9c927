import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeAssertion, header, type Assertion } from '#libs/assertions';
import { findAssertion, SnapRevision, Upload } from '#libs/database';
import { assertionDatabaseFor, ReviewService } from '#libs/operations';
import { cli } from './craft-store/library-client.js';
import { type SnapcraftClient, SNAPS } from './snapcraft-client.js';
import { startTwoPublishers, type TwoPublishers } from './two-publishers.js';

let store: TwoPublishers['store'];
let brandId: TwoPublishers['brandId'];
let acme: TwoPublishers['acme'];
let other: TwoPublishers['other'];
let register: TwoPublishers['register'];
let publish: TwoPublishers['publish'];
let dashboardId: string;

beforeAll(async () => {
  ({ store, brandId, acme, other, register, publish } = await startTwoPublishers());
  await register('acme-hub');
  dashboardId = await register('acme-dashboard');
});
afterAll(() => store?.stop());

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
    const snapId = dashboardId;
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
    const snapId = await register('epochal');
    const urls = await Promise.all(
      [1, 2, 3].map((n) => acme.upload('epochal', `epochal_${n}.snap`)),
    );
    for (const url of [...urls, ...urls]) await acme.get(url);
    const rows = await store.resources.db.asBrand(brandId, (tx) => tx.findBy(Upload, { snapId }));
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
