import { z } from 'zod';
import { httpUrl, port, postgresUrl, wholeNumber } from '#libs/runtime';

/** Requests of the same machine come from the store that forwards, or from a test bench: they are not limited. */
const LOOPBACK = '127.0.0.0/8,::1';

const masterKey = () => z.string().min(32, 'must have 32 characters or more').optional();

/** What the serial-vault reads from its environment (ARCHITECTURE.md lists it for all processes). */
export const vaultConfig = {
  config: z.object({
    PORT: port(),
    PUBLIC_URL: httpUrl(),
    STORE_URL: httpUrl().optional(),
    SECRET_FILE: z.string(),
    REQUEST_ID_SECONDS: wholeNumber(60, 3600).default(600),
    MAX_BODY_BYTES: wholeNumber(16_384, 4_194_304).default(262_144),
    /** How often the store is asked for models. */
    MODELS_SECONDS: wholeNumber(1, 3600).default(30),
    SIGN_MS: wholeNumber(100, 25_000).default(20_000),
    RATE_PER_SECOND: wholeNumber(1, 1_000_000).default(10),
    RATE_PER_MINUTE: wholeNumber(1, 60_000_000).default(600),
    /** Addresses and CIDR ranges of factories, by commas. */
    RATE_EXEMPT: z.string().default(LOOPBACK),
  }),
  secrets: z
    .object({
      DATABASE_URL: postgresUrl(),
      /** The master key's file; without it and MASTER_KEY the process signs nothing (serial-vault.md 11.3). */
      MASTER_KEY_FILE: z.string().optional(),
      /** The master key itself. */
      MASTER_KEY: masterKey(),
      /** The one before, while keys are sealed anew. */
      MASTER_KEY_FORMER: masterKey(),
    })
    .refine(({ MASTER_KEY, MASTER_KEY_FILE }) => !(MASTER_KEY && MASTER_KEY_FILE), {
      path: ['MASTER_KEY'],
      error: 'must not be set beside MASTER_KEY_FILE',
      // Beside whatever else is wrong.
      when: () => true,
    }),
};
