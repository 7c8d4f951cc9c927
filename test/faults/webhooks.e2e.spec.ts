import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { shiftClock } from '#libs/database';
import { AdminStore, type Result } from '../admin/support/admin-store.js';
import { Receiver, type Received } from './receiver.js';

const LIMIT_MS = 120_000;
const HOUR = 3_600_000;

interface Delivery {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

/** As a receiver would: the signed content put together anew (docs/webhooks.md). */
const signatureOf = ({ id, timestamp, text }: Received, secret: string): string => {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${text}`).digest('base64')}`;
};

async function until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (const end = Date.now() + LIMIT_MS; ; await sleep(30)) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`cannot wait any longer for ${what}`);
  }
}

describe('webhooks', { timeout: 180_000 }, () => {
  let store: AdminStore;
  let receiver: Receiver;
  let hook: Result & { secret: string };
  let hours = 0;

  beforeAll(async () => {
    store = await AdminStore.start({ env: { WEBHOOK_NETWORKS: '127.0.0.0/8' } });
    receiver = await Receiver.start();
    const url = `createWebhook(brand: "${store.brand}", input: {url: "${receiver.url}"})`;
    hook = await store.planner.act(url, '... on WebhookWithSecret { id secret }');
  });
  afterAll(async () => {
    await store?.stop();
    await receiver?.stop();
  });
  beforeEach(() => {
    receiver.received.length = 0;
    receiver.reply = () => 204;
  });

  const inBrand = (rest: string): string => `brand: "${store.brand}"${rest}`;
  const stop = (reason: string): Promise<Result> =>
    store.planner.act(
      `stop(${inBrand(`, input: {scope: brand, level: 1, reason: "${reason}"}`)})`,
      '... on EmergencyStop { id }',
    );
  const said = (reason: string) => (): Received | undefined =>
    receiver.received.find(({ body }) => body.detail['reason'] === reason);
  const later = async (ms: number): Promise<void> => {
    hours += ms / HOUR;
    await shiftClock(store.installation.databaseUrls.owner, hours * HOUR);
    // Her session has its own end.
    if (ms > HOUR) store.planner = await store.login(store.planner.email, store.planner.password);
  };
  async function deliveries(state: string): Promise<Delivery[]> {
    const { page } = await store.planner.ask<{ page: { edges: { node: Delivery }[] } }>(
      `page: webhookDeliveries(${inBrand(`, webhook: "${hook.id}", state: ${state}`)}) {
        edges { node { id state attempts lastStatus lastError } } }`,
    );
    return page.edges.map(({ node }) => node);
  }

  it('only admins, as people, have to do with them, and only with good ones', async () => {
    for (const call of [
      `createWebhook(${inBrand(', input: {url: "https://example.com"}')})`,
      `rotateWebhookSecret(${inBrand(`, id: "${hook.id}"`)})`,
      `deleteWebhook(${inBrand(`, id: "${hook.id}"`)})`,
      `replayDelivery(${inBrand(`, id: "${hook.id}"`)})`,
    ])
      expect((await store.approver.act(call)).__typename).toBe('Forbidden');
    for (const input of [
      'url: "ftp://x"',
      'url: "https://me:pw@x"',
      'url: "https://x", kinds: ["x"]',
    ])
      expect(
        (await store.planner.act(`createWebhook(${inBrand(`, input: {${input}}`)})`)).__typename,
      ).toBe('Invalid');
  });

  it('the events of a rollout are numbered in their order; a webhook may want some kinds only', async () => {
    const picky = await Receiver.start();
    const kinds = '["wave-opened", "wave-passed"]';
    await store.planner.act(
      `createWebhook(${inBrand(`, input: {url: "${picky.url}", kinds: ${kinds}}`)})`,
    );
    await store.publish('acme-dashboard', 2);
    await store.addDevices(4, { group: 'told' }, 'acme-dashboard');
    const fleetId = await store.createFleet('told', 7, ['group', 'told']);
    const rollout = await store.approved({
      fleetId,
      waves: [{ percent: 100, soakSeconds: 0, health: { minSample: 0, coveragePercent: 0 } }],
    });
    await store.until(rollout, ({ state }) => state === 'COMPLETED', LIMIT_MS);
    const ofRollout = (): Received[] =>
      receiver.received
        .filter(({ body }) => body.rollout === rollout.id)
        .sort((a, b) => (a.body.rolloutSeq ?? 0) - (b.body.rolloutSeq ?? 0));
    await until('the last event', () => ofRollout().at(-1)?.body.detail['to'] === 'COMPLETED');
    await until('all events', () => ofRollout().length === ofRollout().at(-1)?.body.rolloutSeq);
    expect(ofRollout().map(({ body }) => body.rolloutSeq)).toEqual(
      ofRollout().map((_, at) => at + 1),
    );
    const seqs = ofRollout().map(({ body }) => body.seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    await until('what it wants', () => picky.received.length === 2);
    expect(picky.received.map(({ body }) => body.kind).sort()).toEqual([
      'wave-opened',
      'wave-passed',
    ]);
    await picky.stop();
  });

  it('an event is sent signed, by the old secret too for a day after a rotation', async () => {
    await stop('one secret');
    const first = await until('the first event', said('one secret'));
    expect(first.body).toMatchObject({ kind: 'stop-engaged', brand: store.brand });
    expect(first.signatures).toEqual([signatureOf(first, hook.secret)]);
    expect(Math.abs(Number(first.timestamp) - Date.now() / 1000)).toBeLessThan(300);
    const old = hook.secret;
    hook = await store.planner.act(
      `rotateWebhookSecret(${inBrand(`, id: "${hook.id}"`)})`,
      '... on WebhookWithSecret { id secret }',
    );
    expect(hook.secret).not.toBe(old);
    await stop('two secrets');
    const second = await until('the second event', said('two secrets'));
    expect(second.signatures).toEqual([signatureOf(second, hook.secret), signatureOf(second, old)]);
    expect(second.body.seq).toBe(first.body.seq + 1);
    await later(25 * HOUR);
    await stop('a day later');
    const third = await until('the third event', said('a day later'));
    expect(third.signatures).toEqual([signatureOf(third, hook.secret)]);
    // The time is that of the attempt: a receiver's clock that is five minutes off refuses it.
    expect(Number(third.timestamp) - Number(second.timestamp)).toBeGreaterThan(24.9 * 3_600);
  });

  it('U68 the process that commits an event dies, and its outbox row is delivered by another', async () => {
    await store.installation.processes.kill('worker');
    await stop('and dead');
    await store.installation.processes.kill('store-api');
    const { rows } = await store.owner.query(
      `SELECT 1 FROM store.outbox WHERE job = 'notify-deliver' AND delivered_at IS NULL`,
    );
    expect(rows).toHaveLength(1);
    expect(receiver.received).toEqual([]);
    await store.installation.processes.restart('worker');
    await until('the event', said('and dead'));
    await store.installation.processes.restart('store-api');
    await until('the end of it', async () => (await deliveries('pending')).length === 0);
    expect(receiver.received).toHaveLength(1);
  });

  it('U68 the id stays over all attempts, so that a receiver which keeps ids takes each event once', async () => {
    const taken = new Map<string, string>();
    let attempts = 0;
    receiver.reply = ({ id, text }) => {
      attempts += 1;
      if (attempts === 1) return 503;
      taken.set(id, text);
      // Taken, but the answer is lost: it comes again.
      return attempts === 2 ? 'hang-up' : 204;
    };
    await stop('again and again');
    for (const [done, wait] of [10_000, 30_000].entries()) {
      await until(
        'an attempt',
        async () => (await deliveries('pending'))[0]?.attempts === done + 1,
      );
      await later(wait);
    }
    await until('the last attempt', async () => (await deliveries('pending')).length === 0);
    expect(attempts).toBe(3);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
    expect(new Set(receiver.received.map(({ text }) => text)).size).toBe(1);
    expect(new Set(receiver.received.map(({ timestamp }) => timestamp)).size).toBe(3);
    expect(taken.size).toBe(1);
    expect((await deliveries('delivered'))[0]).toMatchObject({
      id: receiver.received[0]?.id,
      attempts: 3,
      lastStatus: 204,
      lastError: null,
    });
  });

  it(
    'U68 after a day of attempts it is a dead letter, which is seen and can be sent again',
    { timeout: 240_000 },
    async () => {
      receiver.reply = () => 500;
      const before = hours;
      await stop('nobody takes it');
      for (let attempts = 1; attempts < 12; attempts += 1) {
        const { nextAttemptAt } = await until('an attempt', async () => {
          const { rows } = await store.owner.query<{ nextAttemptAt: number }>(
            `SELECT extract(epoch FROM next_attempt_at - app.now())::float AS "nextAttemptAt"
             FROM store.webhook_deliveries WHERE state = 'pending' AND attempts = $1`,
            [attempts],
          );
          return rows[0];
        });
        expect((await deliveries('dead')).length).toBe(0);
        await later(Math.max(0, nextAttemptAt * 1_000));
      }
      const dead = await until('the end', async () => (await deliveries('dead'))[0]);
      expect(dead).toMatchObject({ attempts: 12, lastStatus: 500, lastError: 'status 500' });
      expect(receiver.received).toHaveLength(12);
      expect(hours - before).toBeGreaterThan(23);
      expect(hours - before).toBeLessThanOrEqual(24.1);
      await later(48 * HOUR);
      await stop('the next one');
      await until('the next one', said('the next one'));
      expect(receiver.received.filter(({ id }) => id === dead.id)).toHaveLength(12);

      receiver.reply = () => 204;
      const replayed = await store.planner.act(
        `replayDelivery(${inBrand(`, id: "${dead.id}"`)})`,
        '... on WebhookDelivery { id state attempts }',
      );
      expect(replayed).toMatchObject({ id: dead.id, state: 'pending', attempts: 0 });
      await until('the dead letter', async () =>
        (await deliveries('delivered')).some(({ id }) => id === dead.id),
      );
      expect(receiver.received.filter(({ id }) => id === dead.id)).toHaveLength(13);
      expect(await deliveries('dead')).toEqual([]);
    },
  );

  it('a deleted webhook is told nothing more', async () => {
    await store.planner.act(`deleteWebhook(${inBrand(`, id: "${hook.id}"`)})`);
    await stop('nobody hears');
    await store.settled();
    const { rows } = await store.owner.query(
      'SELECT 1 FROM store.webhook_deliveries WHERE webhook_id = $1',
      [hook.id],
    );
    expect(rows).toEqual([]);
    expect(said('nobody hears')()).toBeUndefined();
  });
});
