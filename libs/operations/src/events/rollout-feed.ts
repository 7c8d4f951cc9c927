import { RolloutService, type RolloutView } from '../rollouts/index.js';
import type { Resources } from '../resources.js';
import { EventFeed } from './event-feed.js';

/** Devices come and go without an event: while a rollout is live, it is shown anew after so many quiet beats. */
const QUIET_BEATS = 6;

/** A rollout as it goes on: once at the beginning, after each of its events, and now and then while it is live. */
export class RolloutFeed {
  private readonly rollouts: RolloutService;

  constructor(
    resources: Resources,
    private readonly events = new EventFeed(resources),
  ) {
    this.rollouts = new RolloutService(resources);
  }

  /** Null: nothing new for a while. Ends when the rollout is not there any more. */
  async *follow(brandId: string, rolloutId: string): AsyncGenerator<RolloutView | null> {
    const after = await this.events.last(brandId);
    let shown = await this.rollouts.find(brandId, rolloutId);
    if (shown === null) return;
    yield shown;
    let quiet = 0;
    for await (const event of this.events.follow(brandId, after)) {
      quiet = event === null ? quiet + 1 : 0;
      const isDue = shown.state === 'ACTIVE' && quiet >= QUIET_BEATS;
      if (event?.rolloutId !== rolloutId && !isDue) {
        yield null;
        continue;
      }
      quiet = 0;
      shown = await this.rollouts.find(brandId, rolloutId);
      if (shown === null) return;
      yield shown;
    }
  }
}
