import type { Explanation } from './explain.js';
import type { FleetPolicy, PolicySnapshot, RolloutPolicy, SnapPolicy } from './policy/snapshot.js';
import { own } from './record.js';

/** Why a rollout never asks about a device: reasons of people's questions, not of decisions. */
export type ExclusionCode = 'NOT_IN_FLEET' | 'OTHER_CHANNEL' | 'NOT_INSTALLED' | 'NEVER_REPORTED';

/** In words, as EXPLANATIONS for what is decided. */
export const EXCLUSIONS: Readonly<Record<ExclusionCode, Explanation>> = {
  NOT_IN_FLEET: {
    meaning: 'the device is in no fleet of the rollout',
    remedy: 'bring the device into the fleet, or start a rollout for a fleet that it is in',
  },
  OTHER_CHANNEL: {
    meaning: 'the device follows another channel than the rollout’s',
    remedy: 'switch the device to the channel, or start a rollout on the one that it follows',
  },
  NOT_INSTALLED: {
    meaning: 'the device does not have the snap',
    remedy: 'install the snap on the device',
  },
  NEVER_REPORTED: {
    meaning: 'the device has not polled yet, so nobody knows what it has',
    remedy: 'wait for its first poll',
  },
};

/** A live rollout of the snap that passes a device by. */
export interface PassedBy {
  readonly code: Extract<ExclusionCode, 'NOT_IN_FLEET' | 'OTHER_CHANNEL'>;
  readonly rolloutId: string;
  readonly rollout: string;
  readonly fleet: string;
  readonly channel: string;
}

/** Live rollouts of the snap that no rule looked at for a device in these fleets, whose decision followed this channel. */
export function rolloutsPassingBy(
  policy: PolicySnapshot,
  snap: SnapPolicy,
  fleets: readonly FleetPolicy[],
  followed: string | undefined,
): PassedBy[] {
  const isIn = new Set(fleets.map(({ fleetId }) => fleetId));
  return Object.values(snap.lanes).flatMap(({ channel, rollouts }) =>
    Object.values(rollouts)
      .filter(({ rolloutId }) => own(policy.overlay.rollouts, rolloutId) !== undefined)
      .filter(({ fleetId }) => !isIn.has(fleetId) || channel !== followed)
      .map((rollout): PassedBy => ({
        code: isIn.has(rollout.fleetId) ? 'OTHER_CHANNEL' : 'NOT_IN_FLEET',
        ...{ rolloutId: rollout.rolloutId, rollout: rollout.name, channel },
        fleet: fleetName(policy, rollout),
      })),
  );
}

const fleetName = ({ fleets }: PolicySnapshot, { fleetId }: RolloutPolicy): string =>
  own(fleets.byId, fleetId)?.name ?? fleetId;

/** One sentence for a person. */
export const passedByText = ({ code, rollout, fleet, channel }: PassedBy): string =>
  `${EXCLUSIONS[code].meaning} (rollout “${rollout}”, fleet ${fleet}, channel ${channel})`;
