import { z } from 'zod';

const text = z.string().max(1000);

/** A1, publisher-api.md 2.3 step 1. */
export const aclRequest = z.object({
  permissions: z.array(text).min(1).max(50),
  description: text.default(''),
  expires: z.iso.datetime({ offset: true }).nullish(),
  packages: z.array(z.object({ series: text.optional(), name: text })).nullish(),
  channels: z.array(z.string().max(100)).nullish(),
});

/** A2, step 2 and 2b. */
export const dischargeRequest = z.object({
  email: text,
  password: text,
  caveat_id: z.string().max(10_000),
  otp: text.nullish(),
});

/** A3, publisher-api.md 2.6. */
export const refreshRequest = z.object({ discharge_macaroon: z.string().max(20_000) });
