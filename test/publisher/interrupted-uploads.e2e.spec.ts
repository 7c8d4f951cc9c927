import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Upload } from '#libs/database';
import { ReviewService, sweepUnclaimedBlobs } from '#libs/operations';
import { snapcraftAt } from './craft-store/library-client.js';
import { SNAPS } from './snapcraft-client.js';
import { startTwoPublishers, type TwoPublishers } from './two-publishers.js';

let store: TwoPublishers['store'];
let brandId: TwoPublishers['brandId'];
let acme: TwoPublishers['acme'];
let register: TwoPublishers['register'];
let publish: TwoPublishers['publish'];

beforeAll(async () => {
  ({ store, brandId, acme, register, publish } = await startTwoPublishers());
});
afterAll(() => store?.stop());

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
