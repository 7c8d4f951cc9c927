import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';

/** A request of a scripted client: what was answered, whatever the status. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; throws where it is none. */
  json<T>(): T;
}

/** An answer whose body is no text. */
export interface BytesAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

const LIMIT_MS = 30_000;

/** One HTTP exchange; redirects are not followed, so that the client sees what a device sees. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await askBytes(url, init);
  const text = new TextDecoder().decode(answer.bytes);
  return {
    status: answer.status,
    get headers() {
      return answer.headers;
    },
    text,
    json: <T>() => JSON.parse(text) as T,
  };
}

/** As `ask`, of a file. */
export async function askBytes(url: string, init: RequestInit = {}): Promise<BytesAnswer> {
  const { body } = init;
  if (body === undefined || typeof body === 'string') return askLightly(url, init, body);
  const response = await fetch(url, {
    redirect: 'manual',
    signal: AbortSignal.timeout(LIMIT_MS),
    ...init,
  });
  const { status, headers } = response;
  return { status, headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

/** What `fetch` says of a text of which nothing is said. */
const TEXT = { 'content-type': 'text/plain;charset=UTF-8' };

/** What is not streamed, at a fifth of the processor that `fetch` needs: two hundred devices call from one process. */
async function askLightly(
  url: string,
  { method = 'GET', headers: given, signal }: RequestInit,
  body: string | undefined,
): Promise<BytesAnswer> {
  const answer = await request(url, {
    method,
    headers: { ...(body !== undefined && TEXT), ...(given && toRecord(given)) },
    ...(body !== undefined && { body }),
    ...(signal ? { signal } : { headersTimeout: LIMIT_MS, bodyTimeout: LIMIT_MS }),
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  let headers: Headers | undefined;
  return {
    status: answer.statusCode,
    // Most callers never ask.
    get headers() {
      return (headers ??= toHeaders(answer.headers));
    },
    bytes,
  };
}

/** Most callers give a record; names in small letters, so that the same header is not there twice. */
function toRecord(headers: NonNullable<RequestInit['headers']>): Record<string, string> {
  if (headers instanceof Headers || Array.isArray(headers))
    return Object.fromEntries(new Headers(headers));
  return Object.fromEntries(
    Object.entries(headers as Record<string, string>).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]),
  );
}

function toHeaders(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(raw))
    for (const value of [values ?? []].flat()) headers.append(name, value);
  return headers;
}

/** What snapd does with a lost connection or a 5xx (device-api.md 3.2), in less patient steps. */
const WAITS_MS = [100, 250, 500, 1_000, 2_000, 4_000];

/** `ask`, repeated as a device repeats it; the last answer or failure counts. */
export async function askPatiently(url: string, init: RequestInit = {}): Promise<Answer> {
  for (const wait of WAITS_MS) {
    const answer = await ask(url, init).catch(() => undefined);
    if (answer && answer.status < 500) return answer;
    await sleep(wait);
  }
  return ask(url, init);
}

/** Repeats a whole procedure that broke off, as a device does at its next attempt. */
export async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (const wait of WAITS_MS) {
    try {
      return await work();
    } catch {
      await sleep(wait);
    }
  }
  return work();
}

export class UnexpectedAnswer extends Error {
  constructor(
    what: string,
    readonly answer: Answer,
  ) {
    super(`cannot ${what}: status ${answer.status}: ${answer.text.slice(0, 500)}`);
  }
}

/** The answer, if its status is one of those expected. */
export function expectStatus(what: string, answer: Answer, ...statuses: number[]): Answer {
  if (!statuses.includes(answer.status)) throw new UnexpectedAnswer(what, answer);
  return answer;
}
