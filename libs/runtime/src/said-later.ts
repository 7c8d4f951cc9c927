import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { ConfigError, postgresUrl } from './config.js';

/** Stands for a value that will be said on standard input, once it is known. */
const LATER = '-';

/** A `postgres://…` URL, or `-`. */
export const postgresUrlOrLater = () =>
  z
    .string()
    .refine(
      (value) => value === LATER || postgresUrl().safeParse(value).success,
      'must be a postgres:// URL, or - for one on standard input',
    );

/**
 * The database's URL: as it was given, or the first line of `input`.
 * @throws ConfigError when `input` ends without one
 */
export async function postgresUrlNow(given: string, input: Readable): Promise<string> {
  if (given !== LATER) return given;
  const url = postgresUrl().safeParse(await firstLine(input));
  if (!url.success)
    throw new ConfigError(['DATABASE_URL on standard input: must be a postgres:// URL']);
  return url.data;
}

async function firstLine(input: Readable): Promise<string | undefined> {
  for await (const line of createInterface({ input })) return line.trim();
  return undefined;
}
