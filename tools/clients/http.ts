import { setTimeout as sleep } from 'node:timers/promises';

/** A request of a scripted client: what was answered, whatever the status. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; throws where it is none. */
  json<T>(): T;
}

const LIMIT_MS = 30_000;

/** One HTTP exchange; redirects are not followed, so that the client sees what a device sees. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, {
    redirect: 'manual',
    signal: AbortSignal.timeout(LIMIT_MS),
    ...init,
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: <T>() => JSON.parse(text) as T,
  };
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
