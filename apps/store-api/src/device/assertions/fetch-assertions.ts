import type { AssertionQuery, AssertionService, MaxFormats, MayRead } from '#libs/operations';
import type { FetchAssertions, WantedAssertion } from '../refresh/refresh.schema.js';
import type { RefreshResult } from '../refresh/to-refresh-result.js';
import { streamUrl, type StreamItem } from './stream-url.js';

/** References per stream URL: keeps it below what servers and proxies take as a request line. */
const PER_URL = 20;

interface AnswerGround {
  readonly assertions: AssertionService;
  readonly mayRead: MayRead;
  /** Decides which sequence of a set the caller is given. */
  readonly settle: (query: AssertionQuery) => Promise<AssertionQuery>;
  readonly formats: MaxFormats;
  readonly publicUrl: string;
}

/** Answers one grouping: URLs for what is newer than what the device has, an error for what does not exist (device-api.md 2.1). */
export async function answerFetchAssertions(
  { key, assertions: wanted }: FetchAssertions,
  { assertions, mayRead, settle, formats, publicUrl }: AnswerGround,
): Promise<RefreshResult> {
  const items: StreamItem[] = [];
  const errors: Record<string, unknown>[] = [];
  for (const one of wanted) {
    const row = await assertions.find(await settle(toQuery(one, formats)), mayRead);
    if (!row) errors.push(notFound(one));
    else if (isNewer(one, row)) items.push([row.type, ...row.primaryKey.split('/')]);
  }
  const urls: string[] = [];
  for (let at = 0; at < items.length; at += PER_URL) {
    urls.push(streamUrl(publicUrl, { items: items.slice(at, at + PER_URL), formats }));
  }
  return {
    result: 'fetch-assertions',
    key,
    'assertion-stream-urls': urls,
    ...(errors.length > 0 && { 'error-list': errors }),
  };
}

function toQuery(one: WantedAssertion, formats: MaxFormats): AssertionQuery {
  const maxFormat = formats[one.type] ?? 0;
  const key = one['primary-key'];
  if (key) return { type: one.type, key, maxFormat };
  const from = one['if-sequence-equal-or-newer-than'];
  const sequence = one.sequence ? { at: one.sequence } : from ? { from } : ('latest' as const);
  return { type: one.type, key: one['sequence-key'] ?? [], sequence, maxFormat };
}

/** Of the same point only a greater revision counts, a later point always does. */
function isNewer(one: WantedAssertion, row: { primaryKey: string; revision: number }): boolean {
  const known = one['if-newer-than'];
  const from = one['if-sequence-equal-or-newer-than'];
  const point = Number(row.primaryKey.split('/').at(-1));
  if (!one.sequence && one['sequence-key'] && typeof from === 'number' && point > from) return true;
  return typeof known !== 'number' || row.revision > known;
}

function notFound(one: WantedAssertion): Record<string, unknown> {
  const key = one['primary-key']
    ? { 'primary-key': one['primary-key'] }
    : { 'sequence-key': one['sequence-key'] };
  return { code: 'not-found', message: `no ${one.type} with that key`, type: one.type, ...key };
}
