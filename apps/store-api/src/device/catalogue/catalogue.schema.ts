import { z } from 'zod';
import { findChannel } from '#libs/update-control';
import { text } from '../http/text.js';

/** A parameter that may be left out; `name=` says as little as no name. Given twice it is no text, and refused. */
function optional<Output>(schema: z.ZodType<Output, string>) {
  return z
    .string()
    .optional()
    .transform((value) => value || undefined)
    .pipe(schema.optional());
}

const list = (max: number) => text(max).transform((value) => value.split(','));
const architecture = optional(z.string().regex(/^[a-z0-9]{2,12}$/, 'expected an architecture'));
const fields = optional(list(2_000).transform((names) => new Set(names)));
const confinement = optional(list(100).pipe(z.array(z.enum(['strict', 'classic', 'devmode']))));

/** `GET /v2/snaps/info/{name}` (device-api.md 2.6). Unknown parameters are ignored, bad ones refused. */
export const infoQuery = z.object({ architecture, fields });

/** `GET /v2/snaps/find` (device-api.md 2.7). */
export const findQuery = z.object({
  architecture,
  fields,
  confinement,
  q: optional(text(200)),
  name: optional(text(100)),
  'common-id': optional(text(200)),
  category: optional(text(50)),
  channel: optional(text(200).refine((value) => findChannel(value) !== null, 'expected a channel')),
  private: optional(z.enum(['true', 'false'])),
});

/** `GET /api/v1/snaps/names` (device-api.md 2.12). */
export const namesQuery = z.object({ architecture, confinement });

/** `POST /v2/messages` (device-api.md 2.21). */
export const messagesRequest = z.object({
  after: text(4096).nullish(),
  limit: z.int().min(0),
  messages: z
    .array(z.object({ format: z.string(), data: z.string() }))
    .max(1_000)
    .nullish(),
});
