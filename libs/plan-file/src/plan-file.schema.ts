import { z } from 'zod';
import { DURATION } from './duration.js';

/** Monday is 1. */
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const duration = z
  .string()
  .regex(DURATION, 'cannot read the duration: write it as 30m, 24h, 7d or 1h30m')
  .meta({ examples: ['30m', '24h', '7d'] });
const instant = z.iso.datetime({
  offset: true,
  error: 'cannot read the time: write it as 2026-11-23T08:00:00Z',
});
const localTime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d$/, 'cannot read the time: write it as 2026-12-20T00:00')
  .describe("Time of the device's own clock, such as 2026-12-20T00:00.");
const clock = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'cannot read the time of day: write it as "22:00"')
  .describe('Time of day on the device\'s own clock, such as "22:00".');
const revision = z.int().positive();
const percent = z.number().min(0).max(100);

/** As in fleets (update-control.md 2.2): a fact, or facts joined by all, any, not. */
export type PlanPredicate =
  | { all: PlanPredicate[] }
  | { any: PlanPredicate[] }
  | { not: PlanPredicate }
  | { fact: string; equals: string | number | boolean }
  | { fact: string; in: (string | number | boolean)[] }
  | { fact: string; exists: boolean };

const value = z.union([z.string(), z.number(), z.boolean()]);
const fact = z
  .string()
  .describe('model, serial, store, architecture, timezone, snapd, uid or tag:NAME.');
const predicate: z.ZodType<PlanPredicate> = z
  .lazy(() =>
    z.union(
      [
        z.strictObject({ fact, equals: value }),
        z.strictObject({ fact, in: z.array(value) }),
        z.strictObject({ fact, exists: z.boolean() }),
        z.strictObject({ all: z.array(predicate) }),
        z.strictObject({ any: z.array(predicate) }),
        z.strictObject({ not: predicate }),
      ],
      {
        error: 'cannot read the selector: write {fact: "tag:site", equals: lab}, or all, any, not',
      },
    ),
  )
  .meta({ id: 'selector' });

const health = z
  .strictObject({
    minSample: z
      .int()
      .min(0)
      .describe('Devices that must have been judged; 150 or the whole wave, if not said.')
      .optional(),
    successPercent: percent
      .describe('Of those judged, at least so many are well; 95, if not said.')
      .optional(),
    coveragePercent: percent
      .describe('Of those that were offered, so many have been judged; 60, if not said.')
      .optional(),
    failPercent: percent
      .describe('Of those judged, more failures than this fail the wave; 2, if not said.')
      .optional(),
    failCount: z
      .int()
      .positive()
      .describe('So many failures fail the wave, however small the sample.')
      .optional(),
  })
  .describe('When the wave is well.');

const wave = z
  .strictObject({
    name: z.string().describe('What the wave is about.').optional(),
    selector: predicate
      .describe('Who is admitted besides, such as the devices of the lab.')
      .optional(),
    percent: percent
      .describe('Share of the fleet that is admitted by the end of this wave (cumulative).')
      .optional(),
    count: z
      .int()
      .positive()
      .describe('Number of devices, instead of a share (cumulative).')
      .optional(),
    minCount: z.int().positive().describe('With percent: at least so many devices.').optional(),
    devicesPerHour: z
      .number()
      .positive()
      .describe('No faster than this; at once, if not said.')
      .optional(),
    soak: duration.describe('How long to watch before the next wave; 24h, if not said.').optional(),
    deadline: duration
      .describe('When to give up waiting for a verdict; 7d after the soak, if not said.')
      .optional(),
    health: health.optional(),
    externalGates: z
      .array(
        z.strictObject({
          name: z.string(),
          timeout: duration
            .describe("Nothing reported by then: inconclusive; the wave's deadline, if not said.")
            .optional(),
        }),
      )
      .describe("What your own telemetry must report to the store's reportGate.")
      .optional(),
    manual: z
      .boolean()
      .describe('The next wave waits for `brandstore rollout advance`.')
      .optional(),
  })
  .describe(
    'Admits further devices: a share, a number, a selector, or a selector beside one of them.',
  );

const window = z.strictObject({
  days: z.array(z.enum(DAYS)).min(1).describe('Every day, if not said.').optional(),
  from: clock,
  to: clock.describe('Before "from": the window ends on the next day.'),
  lastOfferBeforeMinutes: z
    .int()
    .min(0)
    .describe('No offer in the last minutes, so that installing ends inside.')
    .optional(),
});

const freeze = z.strictObject({ from: localTime, until: localTime, reason: z.string() });

const need = z.strictObject({
  snap: z.string(),
  revision,
  channel: z.string().describe("The rollout's own, if not said.").optional(),
  ifMissing: z
    .enum(['skip', 'wait'])
    .describe('On devices without that snap; skip, if not said.')
    .optional(),
});

const sequence = z.strictObject({
  account: z
    .string()
    .describe('Account id of the publisher of the set; your brand, if not said.')
    .optional(),
  set: z.string(),
  sequence: z.int().positive(),
});

/** A rollout plan as a file in the brand's git: names instead of ids, durations in words. The one source of type, check and JSON schema. */
export const planFileSchema = z
  .strictObject({
    title: z.string().min(1).describe('What people read.'),
    fleet: z.string().describe('Name of the fleet.'),
    snap: z.string().describe('Name of the snap.').optional(),
    channel: z
      .string()
      .describe('[track/]risk[/branch], such as stable or 2.0/candidate.')
      .optional(),
    revision: z
      .union([revision, z.record(z.string(), revision)], {
        error: 'cannot read the revision: write 42, or {amd64: 42, arm64: 43}',
      })
      .describe(
        'For all architectures that it was built for, or one for each: {amd64: 42, arm64: 43}.',
      )
      .optional(),
    sequence: sequence
      .describe('Instead of snap, channel and revision: a sequence of a validation set.')
      .optional(),
    waves: z
      .array(wave)
      .min(1)
      .describe('In order; 1 % (at least 5), 5 %, 25 %, 100 %, if not said.')
      .optional(),
    schedule: z
      .strictObject({ windows: z.array(window).optional(), freezes: z.array(freeze).optional() })
      .describe("When devices are offered the revision, by each device's own clock.")
      .optional(),
    requires: z
      .array(need)
      .describe('Other snaps that must have reached a revision before.')
      .optional(),
    onFail: z
      .enum(['pause', 'abort', 'rollback'])
      .describe(
        'What a failed wave does; pause, if not said. rollback: devices are led back without another approval.',
      )
      .optional(),
    promote: z
      .enum(['fleet', 'lane', 'none'])
      .describe('Whose baseline the target becomes in the end; fleet, if not said.')
      .optional(),
    includeInstalls: z.boolean().describe('Also for new installations.').optional(),
    critical: z
      .boolean()
      .describe('Pierces windows and freezes; needs one more approver.')
      .optional(),
    startAt: instant.describe('As soon as it is approved, if not said.').optional(),
    latestStart: duration.describe('How late it may still start; 1h, if not said.').optional(),
    expiresAt: instant.describe('It is not started any more after this time.').optional(),
    supersedes: z
      .string()
      .describe('Title or id of the rollout that ends when this one starts.')
      .optional(),
    inheritSaltFrom: z
      .string()
      .describe('Title or id of a rollout whose first devices shall be the first again.')
      .optional(),
    maxGrowthPercent: z
      .number()
      .min(0)
      .describe(
        'Growth of the fleet since approval beyond which it is asked again; 10, if not said.',
      )
      .optional(),
  })
  .describe('A rollout plan for `brandstore rollout`.');

export type PlanFile = z.infer<typeof planFileSchema>;
