import { z } from 'zod';
import type { MaxFormats } from '#libs/operations';

export const STREAM_PATH = '/v2/assertion-streams';

/** Type and primary key of one assertion. */
export type StreamItem = readonly [type: string, ...key: string[]];

/** What a stream URL stands for. It is no secret and gives no right: what the caller may not see is not in the stream. */
export interface StreamOrder {
  readonly items: readonly StreamItem[];
  readonly formats: MaxFormats;
}

const text = z.string().max(300);
const order = z.object({
  items: z
    .array(z.tuple([text], text))
    .min(1)
    .max(50),
  formats: z.record(text, z.int().min(0).max(1000)),
});

/** The absolute URL for `assertion-stream-urls`; snapd appends nothing to it (device-api.md 2.10). */
export function streamUrl(publicUrl: string, { items, formats }: StreamOrder): string {
  const wanted = Buffer.from(JSON.stringify({ items, formats })).toString('base64url');
  return `${publicUrl}${STREAM_PATH}?wanted=${wanted}`;
}

/** Null when it is none of ours. */
export function readStreamOrder(wanted: unknown): StreamOrder | null {
  if (typeof wanted !== 'string') return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(wanted, 'base64url').toString());
    return order.parse(value);
  } catch {
    return null;
  }
}
