import type { Reason } from '../decision.js';
import { isOlder } from '../lane-order.js';
import type { PinPolicy } from '../policy/snapshot.js';
import { own } from '../record.js';
import { exclusionOf } from './admissible.js';
import type { Case, Rule } from './case.js';
import { stay } from './case.js';

interface FoundPin {
  readonly pin: PinPolicy;
  readonly reason: Reason;
}

function findPin(c: Case): FoundPin | null {
  const { device, fleets } = c.poll;
  const fits = (pin: PinPolicy) =>
    pin.architecture === null || pin.architecture === device.architecture;
  const describe = (code: 'PIN_DEVICE' | 'PIN_FLEET', pin: PinPolicy): FoundPin => ({
    pin,
    reason: {
      code,
      rule: { kind: 'pin', id: pin.pinId },
      detail: { revision: pin.revision, reason: pin.reason },
    },
  });
  const onDevice =
    device.uid === null ? undefined : own(c.snap.pins.devices, device.uid)?.find(fits);
  if (onDevice) return describe('PIN_DEVICE', onDevice);
  for (const fleet of fleets) {
    const onFleet = own(c.snap.pins.fleets, fleet.fleetId)?.find(fits);
    if (onFleet) return describe('PIN_FLEET', onFleet);
  }
  return null;
}

/**
 * Rule 6: device before fleet, fleets by priority; a pinned revision passes on through 10–13. A pin to what the model or the
 * architecture forbids is ignored (U19); one that a stop or a withdrawal took away keeps the device where it is. A device above its
 * pin stays, unless the pin allows going back.
 */
export const pin: Rule = (c) => {
  const found = findPin(c);
  if (!found) return undefined;
  const { revision, allowDowngrade } = found.pin;
  const lane = c.lanes.find((l) => own(l.ranks, revision) !== undefined) ?? c.lanes[0];
  if (c.installed?.revision !== revision) {
    const excluded = exclusionOf(c, revision);
    if (excluded && excluded.code !== 'EPOCH_UNREADABLE') {
      c.reasons.push(found.reason);
      const keeps =
        c.installed &&
        !['MODEL_FORBIDS', 'WRONG_ARCHITECTURE', 'NO_SUCH_REVISION'].includes(excluded.code);
      return keeps ? stay(c, excluded) : undefined;
    }
    if (c.installed && !allowDowngrade && isOlder(lane, revision, c.installed.revision)) {
      c.reasons.push(found.reason);
      const detail = { revision, installed: c.installed.revision };
      return stay(c, {
        code: 'PIN_BELOW_CURRENT',
        rule: { kind: 'pin', id: found.pin.pinId },
        detail,
      });
    }
  }
  c.candidate = { revision, lane, reason: found.reason, pin: found.pin };
  return undefined;
};
