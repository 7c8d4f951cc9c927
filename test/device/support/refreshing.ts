import { ask, type Answer } from '../../../tools/clients/http.js';

/** The fields that snapd of 2026 asks for (device-api.md 2.1). */
export const FIELDS = (
  'architectures base confinement links contact created-at description download epoch license name prices private ' +
  'publisher revision snap-id snap-yaml summary title type version website store-url integrity media common-ids categories'
).split(' ');

export interface WireResult {
  readonly result: string;
  readonly 'instance-key'?: string;
  readonly key?: string;
  readonly name?: string;
  readonly 'snap-id'?: string;
  readonly 'effective-channel'?: string;
  readonly 'redirect-channel'?: string | null;
  readonly snap?: Readonly<Record<string, unknown>> & {
    readonly revision: number;
    readonly download: {
      readonly url: string;
      readonly size: number;
      readonly 'sha3-384': string;
      readonly deltas: unknown[];
    };
  };
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly extra?: { readonly releases: { architecture: string; channel: string }[] };
  };
  readonly 'assertion-stream-urls'?: string[];
  readonly 'error-list'?: Record<string, unknown>[];
}

export interface WireAnswer {
  readonly results: WireResult[];
  readonly 'error-list': { code: string; message: string }[];
}

export interface RefreshCall {
  readonly context?: readonly unknown[];
  readonly actions: readonly unknown[];
  readonly fields?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly [more: string]: unknown;
}

/** POST /v2/snaps/refresh of a client without a session, unless the headers bring one. */
export function postRefresh(url: string, { headers, ...body }: RefreshCall): Promise<Answer> {
  return ask(`${url}/v2/snaps/refresh`, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'snap-device-architecture': 'amd64',
      ...headers,
    },
    body: JSON.stringify({ context: [], fields: FIELDS, ...body }),
  });
}

/** As `postRefresh`; the answer must be 200. */
export async function refresh(url: string, call: RefreshCall): Promise<WireAnswer> {
  const answer = await postRefresh(url, call);
  if (answer.status !== 200) throw new Error(`cannot refresh: ${answer.status} ${answer.text}`);
  return answer.json<WireAnswer>();
}

/** One install action, one result. */
export async function install(
  url: string,
  action: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<WireResult> {
  const { results } = await refresh(url, {
    actions: [{ action: 'install', 'instance-key': 'install-1', epoch: null, ...action }],
    headers,
  });
  const [result] = results;
  if (!result || results.length !== 1)
    throw new Error(`got ${results.length} results for one action`);
  return result;
}

export interface Installed {
  readonly id: string;
  readonly revision: number;
  readonly key?: string;
  readonly channel?: string;
  readonly epoch?: unknown;
}

export const contextOf = ({
  id,
  revision,
  key = id,
  channel = 'latest/stable',
  epoch,
}: Installed) => ({
  'snap-id': id,
  'instance-key': key,
  revision,
  'tracking-channel': channel,
  epoch: epoch ?? { read: [0], write: [0] },
});

/** The refresh of one installed snap, with only it in the context. */
export async function poll(
  url: string,
  snap: Installed,
  headers: Readonly<Record<string, string>> = {},
  action: Readonly<Record<string, unknown>> = {},
  fields: readonly string[] = FIELDS,
): Promise<WireResult> {
  const { results } = await refresh(url, {
    context: [contextOf(snap)],
    actions: [
      { action: 'refresh', 'instance-key': snap.key ?? snap.id, 'snap-id': snap.id, ...action },
    ],
    fields,
    headers,
  });
  const [result] = results;
  if (!result || results.length !== 1)
    throw new Error(`got ${results.length} results for one action`);
  return result;
}

export const SCHEDULED = { 'snap-refresh-reason': 'scheduled' } as const;

export const sessionHeader = (session: string): Record<string, string> => ({
  'snap-device-authorization': `Macaroon root="${session}"`,
});
