import type { FleetPolicy } from '../policy/snapshot.js';
import type { LocalTime, Schedule } from '../windows.js';
import { findFreeze, isInWindow, localTime, nextOpening } from '../windows.js';
import { mayBypass } from './bypass.js';
import type { Case, Rule } from './case.js';
import { stay } from './case.js';

/** The schedules in force: the rollout's, that of the highest fleet which has one, the brand's. */
function schedulesOf(c: Case): Schedule[] {
  const ofFleet = c.poll.fleets.find((fleet) => fleet.schedule !== null)?.schedule;
  return [c.candidate?.rollout?.schedule, ofFleet, c.poll.policy.settings.schedule].filter(
    (s) => s !== null && s !== undefined,
  );
}

interface Zone {
  readonly name: string;
  readonly local: LocalTime;
  readonly isDefaulted: boolean;
}

/** Device, else fleet, else brand, else UTC: the first zone that exists. */
function zoneOf(c: Case): Zone {
  const { device, fleets, policy, t } = c.poll;
  const names = [device.timezone, fleets.find(hasZone)?.timezone, policy.settings.timezone];
  for (const [i, name] of names.entries()) {
    const local = typeof name === 'string' ? localTime(name, t) : null;
    if (typeof name === 'string' && local) return { name, local, isDefaulted: i > 0 };
  }
  return { name: 'UTC', local: localTime('UTC', t) ?? EPOCH_LOCAL, isDefaulted: true };
}

const EPOCH_LOCAL: LocalTime = { text: '1970-01-01T00:00', weekday: 4, minute: 0 };

function hasZone(fleet: FleetPolicy): boolean {
  return fleet.timezone !== null;
}

/** Rule 14: offers are made in windows and not in freezes, in the device's local time. Critical rollouts and pins pierce them. */
export const window: Rule = (c) => {
  const { candidate, installed } = c;
  if (!candidate || !installed || candidate.pin || candidate.rollout?.isCritical === true)
    return undefined;
  const schedules = schedulesOf(c);
  if (schedules.length === 0) return undefined;
  const zone = zoneOf(c);
  const freeze = schedules.map((s) => findFreeze(s.freezes, zone.local)).find((f) => f !== null);
  const isOutside = schedules.some((s) => !isInWindow(s.windows, zone.local));
  if (!freeze && !isOutside) return undefined;
  if (zone.isDefaulted) c.reasons.push({ code: 'TZ_DEFAULTED', detail: { timezone: zone.name } });
  if (mayBypass(c, 'windows')) {
    c.reasons.push({ code: 'OPERATOR_BYPASS', detail: { pierces: 'windows' } });
    return undefined;
  }
  const next = nextOpening(schedules, zone.name, c.poll.t) ?? undefined;
  const detail = {
    timezone: zone.name,
    local: zone.local.text,
    revision: candidate.revision,
    ...(next === undefined ? {} : { next }),
  };
  if (!freeze) return stay(c, { code: 'OUTSIDE_WINDOW', detail }, next);
  return stay(
    c,
    { code: 'FROZEN', detail: { ...detail, until: freeze.until, reason: freeze.reason } },
    next,
  );
};
