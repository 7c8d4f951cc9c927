import { z } from 'zod';
import { httpUrl, port, postgresUrl, wholeNumber } from '#libs/runtime';
import { isLoopback, plainUrl } from './oidc/redirect-uri.js';

/** Requests of the same machine come from the store that forwards, or from a test bench: they are not limited. */
const LOOPBACK = '127.0.0.0/8,::1';

/** A rule over several names is told beside whatever else is wrong. */
const ALWAYS = (): boolean => true;

const masterKey = () => z.string().min(32, 'must have 32 characters or more').optional();

/** Words by commas. */
const list = () =>
  z.string().transform((text) =>
    text
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean),
  );

/** Nobody on the way reads or changes what is said there. */
const isSafe = (url: URL | null): boolean =>
  url !== null && (url.protocol === 'https:' || isLoopback(url));

/** What the serial-vault reads from its environment (ARCHITECTURE.md lists it for all processes). */
export const vaultConfig = {
  config: z
    .object({
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
      RATE_EXEMPT: list().prefault(LOOPBACK),
      /** The provider whose word opens logins, as it names itself; without it people have passwords only (docs/keys.md). */
      OIDC_ISSUER: z
        .string()
        .refine(
          (text) => isSafe(plainUrl(text) ?? plainUrl(`${text}/`)),
          'must be an https:// URL without query',
        )
        .optional(),
      OIDC_CLIENT_ID: z.string().optional(),
      /** Where browsers may come back to, beside loopback addresses. */
      OIDC_REDIRECT_URIS: list()
        .refine(
          (all) => all.every((text) => isSafe(plainUrl(text))),
          'must be https:// URLs with path and without query, by commas',
        )
        .prefault(''),
      /** Values of `amr` that stand for a second factor (RFC 8176). */
      OIDC_SECOND_FACTORS: list().prefault('mfa'),
    })
    .refine(({ OIDC_ISSUER, OIDC_CLIENT_ID }) => !OIDC_ISSUER || OIDC_CLIENT_ID, {
      path: ['OIDC_CLIENT_ID'],
      when: ALWAYS,
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
      /** What the provider of logins gave this vault; without it and its file the vault is a public client. */
      OIDC_CLIENT_SECRET: z.string().optional(),
      OIDC_CLIENT_SECRET_FILE: z.string().optional(),
    })
    .refine(({ MASTER_KEY, MASTER_KEY_FILE }) => !(MASTER_KEY && MASTER_KEY_FILE), {
      path: ['MASTER_KEY'],
      error: 'must not be set beside MASTER_KEY_FILE',
      when: ALWAYS,
    })
    .refine((given) => !(given.OIDC_CLIENT_SECRET && given.OIDC_CLIENT_SECRET_FILE), {
      path: ['OIDC_CLIENT_SECRET'],
      error: 'must not be set beside OIDC_CLIENT_SECRET_FILE',
      when: ALWAYS,
    }),
};
