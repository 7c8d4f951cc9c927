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
