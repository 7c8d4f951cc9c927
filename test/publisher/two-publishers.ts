import { expect } from 'vitest';
import { snapcraftAt } from './craft-store/library-client.js';
import { PASSWORD, startPublisherStore, type PublisherStore } from './publisher-store.js';
import type { Body, SnapcraftClient } from './snapcraft-client.js';

/** A store in which `acme` publishes; `other` publishes for another brand. */
export interface TwoPublishers {
  readonly store: PublisherStore;
  /** Of acme. */
  readonly brandId: string;
  readonly acme: SnapcraftClient;
  readonly other: SnapcraftClient;
  /** Gives the snap's id. */
  readonly register: (name: string, who?: SnapcraftClient) => Promise<string>;
  /** Upload, review, and the final status. */
  readonly publish: (name: string, file: string, channels?: string[]) => Promise<Body>;
}

export async function startTwoPublishers(): Promise<TwoPublishers> {
  const store = await startPublisherStore();
  const login = async (brand: string): Promise<[brandId: string, client: SnapcraftClient]> => {
    const { id } = await store.addBrand(brand);
    await store.addPerson(id, `dev@${brand}.test`, ['publisher']);
    const client = snapcraftAt(store.url);
    await client.login(`dev@${brand}.test`, PASSWORD);
    return [id, client];
  };
  const [brandId, acme] = await login('acme');
  const [, other] = await login('zenith');

  async function register(name: string, who = acme): Promise<string> {
    const order = { snap_name: name, is_private: false, series: '16' };
    const answer = await who.post('/dev/api/register-name/', order);
    expect(answer.status).toBe(201);
    return String(answer.json()['snap_id']);
  }

  async function publish(name: string, file: string, channels: string[] = []): Promise<Body> {
    const statusUrl = await acme.upload(name, file, channels);
    expect((await acme.get(statusUrl)).json()).toEqual({
      code: 'being_processed',
      processed: false,
      can_release: false,
    });
    await store.drainReviews();
    return (await acme.get(statusUrl)).json();
  }

  return { store, brandId, acme, other, register, publish };
}
