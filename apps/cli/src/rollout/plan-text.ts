import { durationText } from '#libs/plan-file';
import { facts, table } from '../output.js';
import type { PlanView, RolloutView } from './rollout.js';

type PlanWave = PlanView['waves'][number];
const DAYS = ['', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** A plan as the store holds it, for eyes that are to approve it; the hash stands last. */
export function planText({ title, snap, fleet, plan, planHash }: RolloutView): string {
  const head = facts({
    title,
    target: targetText(plan, snap?.name),
    fleet: `${fleet.name}, ${fleet.population} devices now`,
    'who belongs':
      plan.fleet.predicate === null ? 'a list of devices' : JSON.stringify(plan.fleet.predicate),
    offers: scheduleText(plan),
    start: startText(plan),
    'on failure': plan.onFail,
    'in the end': promoteText(plan.promote),
    critical: plan.isCritical ? 'yes: pierces windows and freezes' : '',
    installs: plan.includeInstalls ? 'also new installations' : '',
  });
  const waves = table(
    ['wave', 'admits', 'besides', 'per hour', 'soak', 'deadline', 'next'],
    plan.waves.map((wave, index) => [
      waveName(wave, index + 1),
      sizeText(wave),
      wave.selector === null ? '' : JSON.stringify(wave.selector),
      wave.devicesPerHour ?? 'at once',
      durationText(wave.soakMs / 1000),
      durationText(wave.deadlineMs / 1000),
      wave.gates.some(({ kind }) => kind === 'manual') ? 'when you say so' : 'by itself',
    ]),
  );
  return `${head}\n${waves}\n${facts({ 'plan hash': planHash })}`;
}

export const waveName = ({ name }: Pick<PlanWave, 'name'>, no: number): string =>
  name ? `${no} ${name}` : String(no);

export function sizeText({ size }: Pick<PlanWave, 'size'>): string {
  if (size === null) return '';
  if (size.count !== undefined) return `${size.count} devices`;
  const least = size.minCount === undefined ? '' : `, at least ${size.minCount}`;
  return `${size.percent} %${least}`;
}

export function targetText({ target }: PlanView, snap = ''): string {
  if (target.kind === 'sequence') return `sequence ${target.sequence} of set ${target.setName}`;
  const revisions = Object.entries(target.revisions ?? {}).map(
    ([architecture, revision]) => `${revision} (${architecture})`,
  );
  return `${snap} ${revisions.join(', ')} on ${target.channel}`;
}

function scheduleText({ schedule }: PlanView): string {
  if (schedule === null) return 'at any time';
  const windows = schedule.windows.map(
    ({ days, from, to, lastOfferBeforeMinutes = 0 }) =>
      `${days.length === 7 ? 'daily' : days.map((day) => DAYS[day]).join(' ')} ${from}–${to}` +
      (lastOfferBeforeMinutes > 0 ? `, last offer ${lastOfferBeforeMinutes} min before` : ''),
  );
  const freezes = schedule.freezes.map(
    ({ from, until, reason }) => `not ${from} to ${until} (${reason})`,
  );
  const when = windows.length === 0 ? ['at any time'] : windows;
  return `${[...when, ...freezes].join('; ')}, by each device's own clock`;
}

function startText({ startAt, latestStartMs, expiresAt }: PlanView): string {
  const start = startAt === null ? 'once approved' : new Date(startAt).toISOString();
  const end = expiresAt === null ? '' : `, not after ${new Date(expiresAt).toISOString()}`;
  return `${start}, at most ${durationText(latestStartMs / 1000)} late${end}`;
}

const promoteText = (promote: string): string =>
  promote === 'none' ? 'nothing becomes the baseline' : `becomes the baseline of the ${promote}`;
