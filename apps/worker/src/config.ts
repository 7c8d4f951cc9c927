import { z } from 'zod';
import { parseNetworks } from '#libs/operations';
import { httpUrl, postgresUrl, redisUrl } from '#libs/runtime';

const networks = () =>
  z.string().superRefine((text, context) => {
    try {
      parseNetworks(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: String(error) });
    }
  });

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
    /** Path of the program; none: the one on PATH, if there is one (decisions 32). */
    XDELTA3: z.string().optional(),
    /** Internal networks that webhooks may reach all the same, `10.1.0.0/16, …`; there also without TLS. */
    WEBHOOK_NETWORKS: networks().optional(),
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
