import type { Readable } from 'node:stream';
import { Failure } from '../usage.js';
import { accepted, Refusal } from './refusal.js';

const LIMIT_MS = 30_000;

/** How REST says no (serial-vault.md 17.3). */
interface ErrorList {
  readonly 'error-list'?: readonly { readonly message: string }[];
}

interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string };
  }[];
}

/** The store's GraphQL as one person or machine; what is asked for is the caller's word for the answer's type. */
export class StoreClient {
  /** @param url of the store, without path */
  constructor(
    readonly url: string,
    private readonly bearer: string | null = null,
  ) {}

  /** Throws a `Refusal` for errors of the answer, a `Failure` where there is none. */
  async query<T>(document: string, variables: object = {}, limitMs = LIMIT_MS): Promise<T> {
    const { data, errors } = await this.post(document, variables, limitMs);
    const [error] = errors ?? [];
    if (error?.extensions?.code === 'unauthorized') throw this.unauthorized(error.message);
    if (error) throw new Refusal('Error', error.message);
    if (!data) throw new Failure(`cannot read the answer of ${this.url}: it has no data`);
    return data as T;
  }

  /** The result of the one field of a mutation; throws it as a `Refusal` if it is one. */
  async act<T>(document: string, variables: object, limitMs = LIMIT_MS): Promise<T> {
    const data = await this.query<Record<string, T>>(document, variables, limitMs);
    const [result] = Object.values(data);
    if (result === undefined) throw new Failure(`cannot read the answer of ${this.url}`);
    return accepted(result);
  }

  /** A file that the store serves to people beside its GraphQL. */
  async get(path: string, limitMs = LIMIT_MS): Promise<Response> {
    const response = await this.fetch(path, { headers: this.headers() }, limitMs);
    if (response.status === 401) throw this.unauthorized('cannot do this without login');
    if (!response.ok)
      throw new Failure(`cannot get ${this.url}${path}: it answered ${response.status}`);
    return response;
  }

  /** Sends files, as publishers do. */
  async send(path: string, form: FormData, limitMs = LIMIT_MS): Promise<Response> {
    const response = await this.fetch(path, { method: 'POST', body: form }, limitMs);
    if (response.ok) return response;
    throw new Failure(`cannot send the file to ${this.url}: it answered ${response.status}`);
  }

  /** Sends a text such as CSV; throws what is wrong with its lines as a `Refusal`. */
  async sendText<T>(path: string, body: string, mediaType: string): Promise<T> {
    return JSON.parse(await this.exchangeText(path, body, mediaType)) as T;
  }

  /** As `sendText`, where the answer is a text too; a stream may be of any length. */
  async exchangeText(
    path: string,
    body: string | Readable,
    mediaType: string,
    limitMs = LIMIT_MS,
  ): Promise<string> {
    const headers = { ...this.headers(), 'content-type': mediaType };
    const init = { method: 'POST', headers, body, duplex: 'half' };
    const response = await this.fetch(path, init as RequestInit, limitMs);
    const text = await response.text();
    if (response.ok) return text;
    const answer: unknown = text.startsWith('{') ? JSON.parse(text) : null;
    const [first, ...lines] = (answer as ErrorList | null)?.['error-list'] ?? [];
    if (first === undefined)
      throw new Failure(`cannot send to ${this.url}: it answered ${response.status}`);
    const problems = lines.map(({ message }) => ({ path: 'file', message }));
    throw new Refusal('Invalid', first.message, problems);
  }

  private async post(document: string, variables: object, limitMs: number): Promise<Answer> {
    const init = {
      method: 'POST',
      headers: { ...this.headers(), 'content-type': 'application/json' },
      body: JSON.stringify({ query: document, variables }),
    };
    const response = await this.fetch('/graphql', init, limitMs);
    const text = await response.text();
    try {
      const answer: unknown = JSON.parse(text);
      if (typeof answer === 'object' && answer !== null) return answer;
    } catch {
      // said below
    }
    throw new Failure(
      `cannot read the answer of ${this.url}: status ${response.status}, not a store's`,
    );
  }

  private async fetch(path: string, init: RequestInit, limitMs = LIMIT_MS): Promise<Response> {
    try {
      return await fetch(this.url + path, {
        ...init,
        redirect: 'error',
        signal: AbortSignal.timeout(limitMs),
      });
    } catch (error) {
      throw new Failure(`cannot reach ${this.url}: ${reason(error)}`, { cause: error });
    }
  }

  private headers(): Record<string, string> {
    return this.bearer === null ? {} : { authorization: `Bearer ${this.bearer}` };
  }

  private unauthorized(message: string): Refusal {
    const hint = this.bearer === null ? 'log in with brandstore login' : 'log in again';
    return new Refusal('Unauthorized', `${message} (${hint})`);
  }
}

/** `fetch failed` says nothing; its cause does. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message || error.message;
}
