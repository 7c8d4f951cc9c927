import { z } from 'zod';

/** N2, publisher-api.md 3.2. */
export const registerNameRequest = z.object({
  snap_name: z.string().max(200),
  is_private: z.boolean().default(false),
  series: z.literal('16').default('16'),
  store: z.string().max(200).nullish(),
});

/** K1, publisher-api.md 3.12. */
export const accountKeyRequest = z.object({ account_key_request: z.string().max(200_000) });

/** A5. */
export const agreementRequest = z.object({ latest_tos_accepted: z.literal(true) });
