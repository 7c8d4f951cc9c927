import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bindDischarge, decodeMacaroon, encodeMacaroon } from '#libs/auth';

/** What `snapcraft login` asks for. */
export const ALL_PERMISSIONS = [
  'package_access',
  'package_manage',
  'package_metrics',
  'package_push',
  'package_register',
  'package_release',
  'package_update',
];

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What the real client shows of a refusal, where it takes part. */
  readonly printed?: string;
  /** Parsed on demand; a test that reads it fails on what is no JSON. */
  json(): Body;
}

export interface WireProblem {
  readonly code: string;
  readonly message: string;
}

export interface ChannelRow {
  readonly architecture: string;
  readonly channel: string;
  /** Null in the history: the channel was closed. */
  readonly revision: number | null;
  readonly 'expiration-date': string | null;
  readonly when: string;
}

/** Track → series → architecture → rows. */
export type ChannelTree = Readonly<
  Record<string, { readonly '16': Readonly<Record<string, object[]>> }>
>;

/** What answers hold, as far as tests look into it; which of it is there, the test knows. */
export interface Body {
  readonly [name: string]: unknown;
  readonly error_list: readonly [WireProblem, ...WireProblem[]];
  readonly errors: readonly [WireProblem, ...WireProblem[]];
  readonly snaps: { readonly '16': Readonly<Record<string, object>> };
  readonly stores: readonly [{ readonly id: string }];
  readonly snap: { readonly tracks: object[]; readonly channels: { readonly name: string }[] };
  readonly 'channel-map': readonly ChannelRow[];
  readonly releases: readonly ChannelRow[];
  readonly revisions: readonly { readonly revision: number; readonly status: string }[];
  readonly channel_map_tree: ChannelTree;
}

export interface LoginOptions {
  readonly permissions?: readonly string[];
  readonly expires?: string;
  readonly packages?: readonly string[];
  readonly channels?: readonly string[];
  readonly otp?: string;
}

/** Credentials as `export-login` prints them: root and unbound discharge. */
export interface Credentials {
  readonly root: string;
  readonly discharge: string;
}

export const SNAPS = fileURLToPath(new URL('../snaps/', import.meta.url));

/** Speaks as `snapcraft` does in Ubuntu One mode: same calls, headers and order (publisher-api.md 2.3, 3). */
export class SnapcraftClient {
  credentials: Credentials | null = null;

  constructor(readonly url: string) {}

  /** Both steps of `login`; the answers of each are given back where they fail. */
  async login(email: string, password: string, options: LoginOptions = {}): Promise<Answer> {
    const acl = await this.post(
      '/dev/api/acl/',
      {
        permissions: options.permissions ?? ALL_PERMISSIONS,
        description: 'snapcraft@host',
        expires:
          options.expires ??
          new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z$/, '+00:00'),
        ...(options.packages && {
          packages: options.packages.map((name) => ({ name, series: '16' })),
        }),
        ...(options.channels && { channels: options.channels }),
      },
      null,
    );
    if (acl.status !== 200) return acl;
    const root = String(acl.json()['macaroon']);
    const caveat = decodeMacaroon(root).caveats.find(
      ({ location }) => location === new URL(this.url).host,
    );
    if (!caveat) throw new Error('Invalid root macaroon');
    const order = {
      email,
      password,
      caveat_id: caveat.id,
      ...(options.otp && { otp: options.otp }),
    };
    const answer = await this.post('/api/v2/tokens/discharge', order, null);
    if (answer.status === 200) {
      const discharge = String(answer.json()['discharge_macaroon']);
      this.credentials = { root, discharge };
    }
    return answer;
  }

  authorization({ root, discharge }: Credentials): string {
    const bound = encodeMacaroon(bindDischarge(decodeMacaroon(root), decodeMacaroon(discharge)));
    return `Macaroon root=${root}, discharge=${bound}`;
  }

  get(path: string): Promise<Answer> {
    return this.send(path, { headers: this.headers() });
  }

  post(
    path: string,
    body: unknown,
    authorization?: string | null,
    method: 'POST' | 'PUT' = 'POST',
  ): Promise<Answer> {
    const given = authorization === undefined ? this.own() : authorization;
    return this.send(path, {
      method,
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        ...(given !== null && { authorization: given }),
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** With a refresh and one retry where the server asks for it (publisher-api.md 2.6). */
  async refreshing(call: () => Promise<Answer>): Promise<Answer> {
    const first = await call();
    const list = first.status < 400 ? [] : first.json().error_list;
    if (!list.some(({ code }) => code === 'macaroon-needs-refresh')) return first;
    if (!this.credentials) return first;
    const body = { discharge_macaroon: this.credentials.discharge };
    const refreshed = await this.post('/api/v2/tokens/refresh', body, null);
    if (refreshed.status !== 200) return refreshed;
    this.credentials = {
      ...this.credentials,
      discharge: String(refreshed.json()['discharge_macaroon']),
    };
    return call();
  }

  /** P1: no `Authorization` header, whatever the mode. */
  async sendFile(file: string): Promise<string> {
    const form = new FormData();
    form.append(
      'binary',
      await openAsBlob(file, { type: 'application/octet-stream' }),
      basename(file),
    );
    return String((await this.sendForm(form)).json()['upload_id']);
  }

  /** A form with the login's credentials, as metadata with files are sent. */
  postForm(path: string, body: FormData, method: 'POST' | 'PUT'): Promise<Answer> {
    return this.send(path, { method, headers: this.headers(), body });
  }

  sendForm(body: FormData): Promise<Answer> {
    return this.send('/unscanned-upload/', { method: 'POST', body });
  }

  /** `upload [--release] [--component NAME=FILE]` up to its polling; returns the URL to poll. Files are samples, or absolute. */
  async upload(
    name: string,
    file: string,
    channels: readonly string[] = [],
    components: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const asked = await this.post('/dev/api/snap-push/', { name, dry_run: true });
    if (asked.status >= 400) throw new Error(asked.text);
    const sent: Record<string, string> = {};
    for (const [component, path] of Object.entries(components))
      sent[component] = await this.sendFile(resolve(SNAPS, path));
    const pushed = await this.post('/dev/api/snap-push/', {
      name,
      series: '16',
      updown_id: await this.sendFile(resolve(SNAPS, file)),
      binary_filesize: (await stat(resolve(SNAPS, file))).size,
      source_uploaded: false,
      ...(channels.length > 0 && { channels }),
      ...(Object.keys(sent).length > 0 && { components: sent }),
    });
    if (pushed.status >= 400) throw new Error(pushed.text);
    return String(pushed.json()['status_details_url']);
  }

  private own(): string | null {
    return this.credentials && this.authorization(this.credentials);
  }

  private headers(): Record<string, string> {
    const authorization = this.own();
    return { accept: 'application/json', ...(authorization !== null && { authorization }) };
  }

  private async send(path: string, init: RequestInit): Promise<Answer> {
    const url = path.startsWith('http') ? path : this.url + path;
    const response = await fetch(url, { redirect: 'manual', ...init });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: () => JSON.parse(text) as Body,
    };
  }
}
