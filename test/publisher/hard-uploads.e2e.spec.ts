import { execFile } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Blob as StoredBlob, Upload } from '#libs/database';
import { LostFiles, ReviewService, sweepRefusedBlobs, type Resources } from '#libs/operations';
import { projectRoot } from '#stack';
import { cli, snapcraftAt } from './craft-store/library-client.js';
import { PASSWORD, startPublisherStore, type PublisherStore } from './publisher-store.js';
import { SNAPS, type SnapcraftClient } from './snapcraft-client.js';

interface Sample {
  readonly file: string;
  readonly expect: 'accept' | 'review' | 'reject';
  readonly why: string;
  readonly name?: string;
  readonly type?: string;
}

const { snaps: samples } = JSON.parse(readFileSync(`${SNAPS}index.json`, 'utf8')) as {
  snaps: Sample[];
};
const run = promisify(execFile);
const GIB = 2 ** 30;
const MIB = 2 ** 20;

let store: PublisherStore;
let acme: SnapcraftClient;
let brandId: string;
let dir: string;

beforeAll(async () => {
  store = await startPublisherStore();
  brandId = (await store.addBrand('acme')).id;
  await store.addPerson(brandId, 'dev@acme.test', ['publisher']);
  acme = snapcraftAt(store.url);
  await acme.login('dev@acme.test', PASSWORD);
  dir = join(inject('stackDir'), 'hard-uploads');
  mkdirSync(dir);
});
afterAll(() => store?.stop());

async function register(name: string): Promise<string> {
  const answer = await acme.post('/dev/api/register-name/', { snap_name: name, series: '16' });
  expect([name, answer.status]).toEqual([name, 201]);
  return String(answer.json()['snap_id']);
}

/** A sound snap, and other bytes each time: what lies behind a squashfs is none of its business. */
function variant(sample: string, no: number): string {
  const file = join(dir, `${sample}-${no}.snap`);
  copyFileSync(join(SNAPS, sample), file);
  appendFileSync(file, Buffer.alloc(4096, no));
  return file;
}

const uploadsOf = (snapId: string): Promise<Upload[]> =>
  store.resources.db.asBrand(brandId, (tx) => tx.findBy(Upload, { snapId }));

describe('uploads of one snap at once', () => {
  it('ten get ten revisions without a gap or a repeat, reviewed by several workers', async () => {
    const snapId = await register('acme-agent');
    const files = Array.from({ length: 10 }, (_, no) => variant('acme-agent_1.snap', no));
    const urls = await Promise.all(files.map((file) => acme.upload('acme-agent', file)));
    const uploads = await uploadsOf(snapId);
    expect(uploads).toHaveLength(10);
    const reviews = new ReviewService(store.resources);
    await Promise.all([...uploads, ...uploads].map(({ id }) => reviews.review(brandId, id)));
    await store.drainReviews();
    const statuses = await Promise.all(urls.map(async (url) => (await acme.get(url)).json()));
    const numbers = statuses.map((status) => status['revision'] as number);
    expect(numbers.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('two identical ones are one', async () => {
    const snapId = await register('acme-base');
    const file = variant('acme-base_1.snap', 0);
    const urls = await Promise.all([1, 2].map(() => acme.upload('acme-base', file)));
    const reviews = new ReviewService(store.resources);
    const uploads = await uploadsOf(snapId);
    await Promise.all(uploads.map(({ id }) => reviews.review(brandId, id)));
    const statuses = await Promise.all(urls.map(async (url) => (await acme.get(url)).json()));
    expect(statuses.map((status) => status['code']).sort()).toEqual([
      'processing_error',
      'ready_to_release',
    ]);
    const refused = statuses.find((status) => status['code'] === 'processing_error');
    expect(refused?.errors).toMatchObject([
      { message: 'this exact snap content already exists as revision 1' },
    ]);
    const { revisions } = (await acme.get('/api/v2/snaps/acme-base/releases')).json();
    expect(revisions.map(({ revision }) => revision)).toEqual([1]);
    await store.drainReviews();
  });
});

describe('an upload that dies', () => {
  /** Every call to the world outside: the n-th is the one at which the process dies. */
  function dyingAt(n: number): { readonly resources: Resources; readonly calls: () => number } {
    let calls = 0;
    const counted = <T extends object>(target: T, names: readonly string[]): T =>
      new Proxy(target, {
        get: (from, name) => {
          const value: unknown = Reflect.get(from, name, from);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]): unknown => {
            if (names.includes(String(name)) && (calls += 1) === n) throw new Error('killed');
            return Reflect.apply(value, from, args);
          };
        },
      });
    const { resources } = store;
    return {
      resources: {
        ...resources,
        db: counted(resources.db, ['asBrand', 'asSystem']),
        blobs: counted(resources.blobs, ['get']),
        keys: counted(resources.keys, ['signer']),
      },
      calls: () => calls,
    };
  }

  it('at any point of its review goes on when it runs again, and does nothing twice', async () => {
    const snapId = await register('acme-dashboard');
    let n = 0;
    for (let isOver = false; !isOver;) {
      n += 1;
      const url = await acme.upload('acme-dashboard', variant('acme-dashboard_1.snap', n), [
        'edge',
      ]);
      const upload = (await uploadsOf(snapId)).find(({ state }) => state === 'received');
      const dying = dyingAt(n);
      const run = (resources: Resources) =>
        new ReviewService(resources).review(brandId, upload?.id ?? '');
      isOver = await run(dying.resources).then(
        () => true,
        (error: unknown) => {
          expect(String(error)).toContain('killed');
          return false;
        },
      );
      if (!isOver) await run(store.resources);
      await run(store.resources);
      await store.drainReviews();
      expect((await acme.get(url)).json()).toMatchObject({ code: 'ready_to_release', revision: n });
    }
    // As many points as a review has calls, and one run that met none.
    expect(n).toBeGreaterThan(6);
    const [counts] = await store.resources.db.asSystem((tx) =>
      tx.query<object[]>(
        `SELECT (SELECT count(*)::int FROM store.snap_revisions WHERE snap_id = $1) AS revisions,
           (SELECT count(*)::int FROM store.assertions WHERE snap_id = $1) AS assertions,
           (SELECT count(*)::int FROM store.lane_events WHERE snap_id = $1) AS events,
           (SELECT last_revision FROM store.snaps WHERE id = $1) AS last`,
        [snapId],
      ),
    );
    // One assertion for each revision, and the declaration.
    expect(counts).toEqual({ revisions: n, assertions: n + 1, events: n, last: n });
  });

  it('between its file and its row leaves nothing', async () => {
    const { blobs } = store.resources;
    const lost = 'uploads/00000000-0000-4000-8000-00000000dead';
    await blobs.put(lost, [Buffer.from('bytes that nobody knows')]);
    const kept = await store.resources.db.asSystem((tx) => tx.find(StoredBlob, { take: 5 }));
    const files = new LostFiles(store.resources);
    // The first look may have come between a file and its row.
    expect(await files.sweep()).toBe(0);
    expect(await blobs.head(lost)).not.toBeNull();
    expect(await files.sweep()).toBe(1);
    expect(await blobs.head(lost)).toBeNull();
    for (const { storageKey } of kept) expect(await blobs.head(storageKey)).not.toBeNull();
    expect(kept.length).toBeGreaterThan(0);
  });
});

describe('a file of 3 GiB', () => {
  it(
    cli('P33 passes in flat memory, and becomes a revision'),
    async () => {
      await register('acme-kernel');
      const file = variant('acme-kernel_1.snap', 0);
      // A sound squashfs, and nothing behind it as far as the eye can see.
      truncateSync(file, 3 * GIB);
      const resident = (): number => process.memoryUsage().rss / MIB;
      const start = resident();
      let highest = start;
      const watch = setInterval(() => (highest = Math.max(highest, resident())), 50);
      const url = await acme.upload('acme-kernel', file, ['edge']);
      expect(highest - start).toBeLessThan(150);
      await store.drainReviews();
      clearInterval(watch);
      expect(highest - start).toBeLessThan(150);
      expect((await acme.get(url)).json()).toMatchObject({ code: 'ready_to_release', revision: 1 });
      rmSync(file);
      console.log(`3 GiB: from ${start.toFixed(0)} to at most ${highest.toFixed(0)} MiB`);
    },
    600_000,
  );
});

describe('the sample snaps', () => {
  const SQUASHFS = 'cannot read the file as a squashfs image: ';
  const YAML = 'cannot read meta/snap.yaml: ';
  /** What the publisher of each is told, who knows by it what to mend; and its name where it has another than its file. */
  const REASONS: Readonly<Record<string, readonly [reason: string, name?: string]>> = {
    'classic_1.snap': ['needs a reviewer: it asks for classic confinement'],
    'superpower_1.snap': ['needs a reviewer: it plugs snapd-control'],
    'bad-no-snap-yaml.snap': ['there is no meta/snap.yaml'],
    'bad-yaml-syntax.snap': [
      `${YAML}Nested mappings are not allowed in compact mappings at line 1, column 7:`,
    ],
    'bad-yaml-not-a-map.snap': [`${YAML}it is not a map`],
    'bad-yaml-bomb.snap': [`${YAML}Excessive alias count indicates a resource exhaustion attack`],
    'bad-yaml-huge.snap': ['meta/snap.yaml has 6000038 bytes, more than 262144'],
    'bad-yaml-utf8.snap': [`${YAML}it is not UTF-8`],
    'bad-name.snap': ["'Bad_Name' is not a snap name"],
    'bad-no-version.snap': ['snap.yaml has no version', 'acme-dashboard'],
    'bad-type.snap': ["'spaceship' is not a type of snap", 'bad-type'],
    'bad-epoch.snap': ["cannot read the epoch: '1**'", 'bad-epoch'],
    'bad-command-escape.snap': [
      "the app 'a' starts '../../../bin/sh', which is not inside the snap",
      'bad-command-escape',
    ],
    'bad-yaml-symlink.snap': ['meta/snap.yaml is not a regular file'],
    'bad-icon-symlink.snap': ['meta/gui/icon.svg is not a regular file', 'bad-icon-symlink'],
    'bad-sparse-bomb.snap': [
      'the snap unpacks to 8000000202 bytes from 4096, more than is allowed',
      'bad-sparse-bomb',
    ],
    'bad-gadget-without-yaml.snap': ['there is no meta/gadget.yaml', 'bad-gadget'],
    'bad-truncated.snap': [`${SQUASHFS}it is truncated: 151552 of 301042 bytes are there`],
    'bad-not-squashfs.snap': [`${SQUASHFS}it does not begin like one`],
    'bad-empty.snap': [`${SQUASHFS}it is empty`],
    'bad-tables.snap': [`${SQUASHFS}it is damaged`],
  };
  const CODES = {
    accept: 'ready_to_release',
    review: 'need_manual_review',
    reject: 'processing_error',
  } as const;
  const uploadable = samples.filter(({ type }) => type !== 'component');

  it('each leads to its verdict, with a reason for whoever sent it; nothing of a refused one stays', async () => {
    const told: Record<string, string> = {};
    const workFolders = (): string[] =>
      readdirSync(tmpdir()).filter((name) => name.startsWith('review-'));
    const before = workFolders();
    for (const { file, name: own, expect: verdict } of uploadable) {
      const name = (verdict === 'reject' ? REASONS[file]?.[1] : own) ?? 'whatever';
      // Some have their name already.
      await acme.post('/dev/api/register-name/', { snap_name: name, series: '16' });
      const url = await acme.upload(name, file);
      await store.drainReviews();
      const status = (await acme.get(url)).json();
      expect([file, status['code']]).toEqual([file, CODES[verdict]]);
      if (verdict !== 'accept') told[file] = status.errors.map(({ message }) => message).join('; ');
    }
    expect(told).toEqual(
      Object.fromEntries(Object.entries(REASONS).map(([file, [reason]]) => [file, reason])),
    );
    expect(workFolders()).toEqual(before);
    const refused = uploadable.filter((sample) => sample.expect === 'reject').length;
    await expectRefusedToGo(refused);
  });

  async function expectRefusedToGo(least: number): Promise<void> {
    const { db, blobs } = store.resources;
    const read = () =>
      db.asSystem((tx) =>
        tx.query<{ key: string; state: string }[]>(
          `SELECT b.storage_key AS key, u.state FROM store.uploads u JOIN store.blobs b ON b.id = u.blob_id`,
        ),
      );
    expect(await sweepRefusedBlobs(store.resources)).toBe(0);
    await store.shiftClock(25 * 3_600_000);
    expect(await sweepRefusedBlobs(store.resources)).toBeGreaterThanOrEqual(least);
    expect(await sweepRefusedBlobs(store.resources)).toBe(0);
    await store.shiftClock(0);
    for (const { key, state } of await read())
      expect([key, state, (await blobs.head(key)) === null]).toEqual([
        key,
        state,
        state === 'rejected',
      ]);
  }

  it('none costs its reader more than 2 s of work or 256 MB', async () => {
    const reader = join(
      projectRoot,
      'dist/libs/operations/src/publishing/review/squashfs-process.js',
    );
    // Says at its end what the reader's process has used: seconds of its processors, and memory in MB.
    const account = `data:text/javascript,process.on('exit', () => {
      const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
      process.stderr.write('used ' + (userCPUTime + systemCPUTime) / 1e6 + ' ' + maxRSS / 1000); })`;
    for (const { file } of samples) {
      const args = ['--import', account, reader, join(SNAPS, file), '262144', 'meta/snap.yaml'];
      const { stderr } = await run(process.execPath, args, { env: {} }).catch(
        (error: { stderr: string }) => error,
      );
      const [, seconds, megabytes] = /used (\S+) (\S+)/.exec(stderr) ?? [];
      expect([file, Number(seconds) < 2, Number(megabytes) < 256]).toEqual([file, true, true]);
    }
  });
});
