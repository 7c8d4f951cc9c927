import { z } from 'zod';
import { httpUrl, postgresUrl, redisUrl } from '#libs/runtime';

/** What the worker reads from its environment (ARCHITECTURE.md lists it for all processes). */
export const workerConfig = {
  config: z.object({
    PUBLIC_URL: httpUrl(),
    SECRET_FILE: z.string(),
    MASTER_KEY_FILE: z.string(),
    BLOBS_DIR: z.string().optional(),
    S3_ENDPOINT: httpUrl().optional(),
    S3_PUBLIC_ENDPOINT: httpUrl().optional(),
    S3_BUCKET: z.string().optional(),
    S3_REGION: z.string().optional(),
  }),
  secrets: z.object({
    DATABASE_URL: postgresUrl(),
    /** None: BullMQ's own backend in Postgres. */
    REDIS_URL: redisUrl().optional(),
    BLOBS_SECRET: z.string().default(''),
    S3_ACCESS_KEY: z.string().default(''),
    S3_SECRET_KEY: z.string().default(''),
  }),
};
