import { setTimeout as sleep } from 'node:timers/promises';
import { BrandAdmin, type Reason, type RolloutAccount } from '../../clients/brand-admin.js';
import { persistently } from '../../clients/http.js';
import { GraphQLClient } from '../../clients/graphql.js';
import { SNAP, type Colleague, type RolloutStory } from './rollout-story.js';

const LIMIT_MS = 120_000;

/** Logs in: each morning, as sessions do not outlive a working day. */
export function asColleague(
  { installation }: RolloutStory,
  { email, password }: Colleague,
): Promise<BrandAdmin> {
  const graphql = new GraphQLClient(`${installation.storeUrl}/graphql`);
  return persistently(() => BrandAdmin.login(graphql, email, password));
}

/** The rollout when it is so; the store and its worker may be restarting meanwhile. */
export async function untilRollout(
  story: RolloutStory,
  admin: BrandAdmin,
  isSo: (rollout: RolloutAccount) => boolean,
  limitMs = LIMIT_MS,
): Promise<RolloutAccount> {
  for (const end = Date.now() + limitMs; ; await sleep(100)) {
    const rollout = await admin
      .rolloutAccount(story.brandId, story.rolloutId)
      .catch((error: unknown) => {
        if (Date.now() > end) throw error;
        return null;
      });
    if (rollout && isSo(rollout)) return rollout;
    if (Date.now() > end)
      throw new Error(`cannot wait any longer for the rollout: ${JSON.stringify(rollout)}`);
  }
}

/**
 * Waits until the store decides by the wave (null: by the stop). It is asked about a device that has not been updated: it is
 * either not in the wave, or only the window keeps the target from it.
 */
export async function untilDecidedBy(
  story: RolloutStory,
  admin: BrandAdmin,
  wave: number | null,
): Promise<void> {
  const waiting = story.devices.filter(({ installed }) => installed.revision === 1);
  const probe = wave === 1 ? waiting[0] : waiting.at(-1);
  if (!probe) throw new Error('cannot ask about a device that waits: there is none');
  for (const end = Date.now() + LIMIT_MS; ; await sleep(100)) {
    const ask = () => admin.explain(story.brandId, probe.identity.deviceUid, SNAP);
    const reasons = await persistently(ask);
    if (reasons.some((reason) => speaksOf(reason, wave))) return;
    if (Date.now() > end)
      throw new Error(`cannot wait any longer for the policy: ${JSON.stringify(reasons)}`);
  }
}

function speaksOf({ code, detail }: Reason, wave: number | null): boolean {
  if (wave === null) return code === 'STOPPED' || code === 'ROLLOUT_PAUSED';
  return detail?.['wave'] === wave || (code === 'OUTSIDE_WINDOW' && detail?.['revision'] === 2);
}
