import { z } from 'zod';
import { httpUrl, port, postgresUrl, wholeNumber } from '#libs/runtime';

/** What the store-api reads from its environment (ARCHITECTURE.md lists it for all processes). */
export const storeApiConfig = {
  config: z.object({
    PORT: port(),
    PUBLIC_URL: httpUrl(),
    VAULT_URL: httpUrl().optional(),
    SECRET_FILE: z.string(),
    MASTER_KEY_FILE: z.string(),
    DOWNLOADS: z.enum(['redirect', 'stream']).default('redirect'),
    /** Wait of a newcomer from which on polls are shed (decisions 11). */
    SHED_DELAY_MS: wholeNumber(1, 60_000).default(250),
    /** How long what devices say may wait until it is written (decisions 20). */
    FLUSH_MS: wholeNumber(1, 60_000).default(1_000),
    BLOBS_DIR: z.string().optional(),
    S3_ENDPOINT: httpUrl().optional(),
    S3_PUBLIC_ENDPOINT: httpUrl().optional(),
    S3_BUCKET: z.string().optional(),
    S3_REGION: z.string().optional(),
  }),
  secrets: z.object({
    DATABASE_URL: postgresUrl(),
    BLOBS_SECRET: z.string().default(''),
    S3_ACCESS_KEY: z.string().default(''),
    S3_SECRET_KEY: z.string().default(''),
  }),
};
