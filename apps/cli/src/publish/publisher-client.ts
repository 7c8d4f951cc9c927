import { z } from 'zod';
import { Failure } from '../usage.js';
import { authorizationOf, type Credentials } from './credentials.js';
import { sendFile, type Sent } from './send-file.js';

const LIMIT_MS = 60_000;
const errors = z.object({
  error_list: z.array(z.object({ code: z.string(), message: z.string() })).min(1),
});
const status = z.object({
  code: z.string(),
  processed: z.boolean().default(false),
  revision: z.number().nullish(),
  errors: z.array(z.object({ message: z.string() })).default([]),
});

export type UploadStatus = z.infer<typeof status>;

/** What a push names; component name → upload id. */
export interface Push {
  readonly name: string;
  readonly uploadId: string;
  readonly sizeBytes: number;
  readonly channels: readonly string[];
  readonly components: Readonly<Record<string, string>>;
}

/** A store as publishers' tools see it (publisher-api.md 3), with credentials that refresh by themselves. */
export class PublisherClient {
  constructor(
    /** Without path. */
    readonly url: string,
    private credentials: Credentials,
  ) {}

  /** When the credentials end. */
  async expiresAt(): Promise<Date> {
    const answer = await this.call('/api/v2/tokens/whoami');
    const { expires } = z.object({ expires: z.string() }).parse(answer);
    return new Date(`${expires}Z`);
  }

  /** Throws unless the snap may be uploaded to: known before a byte is sent. */
  async mayPush(name: string): Promise<void> {
    await this.call('/dev/api/snap-push/', { name, dry_run: true });
  }

  /** Returns the upload id. */
  send(file: string, onSent: Sent): Promise<string> {
    return sendFile(this.url, file, onSent);
  }

  /** Returns the URL that tells what becomes of it. */
  async push({ name, uploadId, sizeBytes, channels, components }: Push): Promise<string> {
    const answer = await this.call('/dev/api/snap-push/', {
      name,
      series: '16',
      updown_id: uploadId,
      binary_filesize: sizeBytes,
      source_uploaded: false,
      ...(channels.length > 0 && { channels }),
      ...(Object.keys(components).length > 0 && { components }),
    });
    return z.object({ status_details_url: z.string() }).parse(answer).status_details_url;
  }

  async status(statusUrl: string): Promise<UploadStatus> {
    // Credentials go to the store that was meant, whatever the answer says.
    const { pathname } = new URL(statusUrl);
    const base = new URL(this.url).pathname.replace(/\/$/, '');
    const path = pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname;
    return status.parse(await this.call(path));
  }

  private async call(path: string, body?: object): Promise<unknown> {
    const first = await this.ask(path, body);
    if (!first.codes.includes('macaroon-needs-refresh')) return first.value();
    await this.refresh();
    return (await this.ask(path, body)).value();
  }

  private async refresh(): Promise<void> {
    const { discharge } = this.credentials;
    const answer = await this.ask('/api/v2/tokens/refresh', { discharge_macaroon: discharge });
    const fresh = z.object({ discharge_macaroon: z.string() }).parse(answer.value());
    this.credentials = { ...this.credentials, discharge: fresh.discharge_macaroon };
  }

  private async ask(path: string, body?: object): Promise<Answer> {
    try {
      const answer = await fetch(this.url + path, {
        method: body ? 'POST' : 'GET',
        headers: {
          accept: 'application/json',
          authorization: authorizationOf(this.credentials),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      return new Answer(`${this.url}${path}`, answer.status, await answer.text());
    } catch (error) {
      throw new Failure(`cannot reach ${this.url}: ${reason(error)}`, { cause: error });
    }
  }
}

/** What helps against a refusal. */
const HINTS: readonly { readonly code: string; readonly text: string }[] = [
  {
    code: 'macaroon-authorization-required',
    text: 'the credentials have ended or were revoked: make new ones with "brandstore credentials create"',
  },
  {
    code: 'resource-not-found',
    text: 'register the name with "snapcraft register", or say --name where the file is called otherwise',
  },
];

class Answer {
  readonly codes: readonly string[];

  constructor(
    private readonly url: string,
    private readonly status: number,
    private readonly text: string,
  ) {
    this.codes = this.problems().map(({ code }) => code);
  }

  /** Throws what the store says against it. */
  value(): unknown {
    if (this.status < 400) return JSON.parse(this.text);
    const said = this.problems().map(({ code, message }) => `- ${code}: ${message}`);
    if (said.length === 0) throw new Failure(`cannot do this: ${this.url} answered ${this.status}`);
    const hint = HINTS.find(({ code }) => this.codes.includes(code));
    throw new Failure(
      ['cannot do this, the store says:', ...said, ...(hint ? [hint.text] : [])].join('\n'),
    );
  }

  private problems(): readonly { readonly code: string; readonly message: string }[] {
    if (this.status < 400) return [];
    try {
      return errors.parse(JSON.parse(this.text)).error_list;
    } catch {
      return [];
    }
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
