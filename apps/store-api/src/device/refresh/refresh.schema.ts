import { z } from 'zod';
import { parseEpoch, type Epoch } from '#libs/update-control';
import { text, word } from '../http/text.js';

const key = z.array(text(300)).min(1).max(8);
const count = z.int().min(0).max(2_147_483_647);

/** The object, or null for "I understand epochs" (device-api.md 0.4). */
const epoch = z.unknown().transform((value, ctx): Epoch => {
  try {
    return parseEpoch(value);
  } catch {
    ctx.addIssue({ code: 'custom', message: 'expected an epoch with lists "read" and "write"' });
    return z.NEVER;
  }
});

const contextSnap = z.object({
  'snap-id': word(100),
  'instance-key': word(200),
  revision: z.int(),
  'tracking-channel': text(200).nullish(),
  epoch: epoch.optional(),
  'refreshed-date': text(100).nullish(),
  'ignore-validation': z.boolean().nullish(),
  'cohort-key': text(4096).nullish(),
  'validation-sets': z.array(z.array(text(300))).nullish(),
  held: z.object({ by: z.array(text(100)).max(100).nullish() }).nullish(),
});

const snapAction = z
  .object({
    action: z.enum(['install', 'refresh', 'download']),
    'instance-key': word(200),
    name: text(100).nullish(),
    'snap-id': text(100).nullish(),
    channel: text(200).nullish(),
    revision: z.int().min(1).max(2_147_483_647).nullish(),
    'cohort-key': text(4096).nullish(),
    'ignore-validation': z.boolean().nullish(),
    epoch: epoch.optional(),
    'validation-sets': z.array(z.array(text(300))).nullish(),
  })
  .refine((action) => action.name || action['snap-id'], 'expected "name" or "snap-id"');

const wantedAssertion = z
  .object({
    type: word(100),
    'primary-key': key.nullish(),
    'sequence-key': key.nullish(),
    sequence: z.int().min(1).max(2_147_483_647).nullish(),
    'if-sequence-equal-or-newer-than': count.nullish(),
    'if-newer-than': count.nullish(),
  })
  .refine(
    (one) => Boolean(one['primary-key']) !== Boolean(one['sequence-key']),
    'expected either "primary-key" or "sequence-key"',
  );

const fetchAssertions = z.object({
  action: z.literal('fetch-assertions'),
  key: text(200),
  assertions: z.array(wantedAssertion).max(5_000),
});

/** `POST /v2/snaps/refresh` (device-api.md 2.1). Unknown members are ignored, wrong types refused. */
export const refreshRequest = z.object({
  context: z.array(contextSnap).max(5_000).nullish(),
  actions: z.array(z.discriminatedUnion('action', [snapAction, fetchAssertions])).max(5_000),
  fields: z.array(text(100)).max(200).nullish(),
  'assertion-max-formats': z.record(text(100), count).nullish(),
});

export type RefreshRequest = z.infer<typeof refreshRequest>;
export type ContextSnap = z.infer<typeof contextSnap>;
export type SnapAction = z.infer<typeof snapAction>;
export type FetchAssertions = z.infer<typeof fetchAssertions>;
export type WantedAssertion = z.infer<typeof wantedAssertion>;
