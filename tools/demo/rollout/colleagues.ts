import { setTimeout as sleep } from 'node:timers/promises';
import { BrandAdmin, type RolloutAccount } from '../../clients/brand-admin.js';
import { GraphQLClient } from '../../clients/graphql.js';
import type { Colleague, RolloutStory } from './rollout-story.js';

const LIMIT_MS = 120_000;

/** Logs in: each morning, as sessions do not outlive a working day. */
export function asColleague(
  { installation }: RolloutStory,
  { email, password }: Colleague,
): Promise<BrandAdmin> {
  const graphql = new GraphQLClient(`${installation.storeUrl}/graphql`);
  return BrandAdmin.login(graphql, email, password);
}

/** The rollout when it is so; the store and its worker may be restarting meanwhile. */
export async function untilRollout(
  story: RolloutStory,
  admin: BrandAdmin,
  isSo: (rollout: RolloutAccount) => boolean,
): Promise<RolloutAccount> {
  for (const end = Date.now() + LIMIT_MS; ; await sleep(100)) {
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

/** Waits until the store decides by the wave (null: by the pause), for a device in the lab and one outside. */
export async function untilDecidedBy(
  story: RolloutStory,
  admin: BrandAdmin,
  wave: number | null,
): Promise<void> {
  const { deviceUid } = (wave === 1 ? story.devices[0] : story.devices.at(-1))?.identity ?? {};
  for (const end = Date.now() + LIMIT_MS; ; await sleep(100)) {
    const reasons = await admin.explain(story.brandId, deviceUid ?? '', 'acme-dashboard');
    const isSo =
      wave === null
        ? reasons.some(({ code }) => code === 'ROLLOUT_PAUSED' || code === 'STOPPED')
        : reasons.some(({ detail }) => detail?.['wave'] === wave);
    if (isSo) return;
    if (Date.now() > end)
      throw new Error(`cannot wait any longer for the policy: ${JSON.stringify(reasons)}`);
  }
}
