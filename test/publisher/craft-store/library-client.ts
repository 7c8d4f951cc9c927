import {
  ALL_PERMISSIONS,
  SnapcraftClient,
  type Answer,
  type Body,
  type Credentials,
  type LoginOptions,
} from '../snapcraft-client.js';
import { installCraftStore } from './install.js';
import { CraftStore, type LibraryAnswer } from './library.js';

const python = await installCraftStore();
const library = python === null ? null : new CraftStore(python);

/** The title of a line that asks for the CLI: says so where the real client library takes part (decisions 28). */
export const cli = (title: string): string => (library ? `${title} (real craft-store)` : title);

/** A publisher's tool: the real client library where it can be installed, else the scripted one. */
export const snapcraftAt = (url: string): SnapcraftClient =>
  library ? new LibraryClient(url, library) : new SnapcraftClient(url);

/** The same as another process, which knows nothing of the first. */
export const snapcraftInNewProcess = (url: string): SnapcraftClient =>
  python === null ? new SnapcraftClient(url) : new LibraryClient(url, new CraftStore(python));

/** The library itself, for what only it shows; null: it cannot be installed. */
export const craftStore = library;

const toAnswer = ({ status, headers, text, printed }: LibraryAnswer): Answer => ({
  ...{ status, headers: new Headers(headers), text, ...(printed !== undefined && { printed }) },
  json: () => JSON.parse(text) as Body,
});

/** The form in which `export-login` prints them (publisher-api.md 2.9). */
export const exported = ({ root, discharge }: Credentials): string =>
  Buffer.from(JSON.stringify({ t: 'u1-macaroon', v: { r: root, d: discharge } })).toString(
    'base64',
  );

function readExported(text: string): Credentials {
  const { v } = JSON.parse(Buffer.from(text, 'base64').toString()) as {
    v: { r: string; d: string };
  };
  return { root: v.r, discharge: v.d };
}

/** Logs in, binds, refreshes, sends and reads errors by the library's own code; what a test says itself, it sends itself. */
class LibraryClient extends SnapcraftClient {
  constructor(
    url: string,
    private readonly library: CraftStore,
  ) {
    super(url);
  }

  override async login(
    email: string,
    password: string,
    options: LoginOptions = {},
  ): Promise<Answer> {
    const answer = await this.library.call('login', {
      ...{ url: this.url, email, password, otp: options.otp ?? null },
      permissions: options.permissions ?? ALL_PERMISSIONS,
      expires: options.expires ?? new Date(Date.now() + 86_400_000).toISOString(),
      packages: options.packages ?? [],
      channels: options.channels ?? [],
    });
    if (answer.status === 200) this.credentials = readExported(answer.credentials);
    return toAnswer(answer);
  }

  override async get(path: string): Promise<Answer> {
    return (await this.request('GET', path)) ?? super.get(path);
  }

  override async post(
    path: string,
    body: unknown,
    authorization?: string | null,
    method: 'POST' | 'PUT' = 'POST',
  ): Promise<Answer> {
    if (authorization !== undefined) return super.post(path, body, authorization, method);
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await this.request(method, path, { type: 'application/json', text });
    return answer ?? super.post(path, body, authorization, method);
  }

  override async postForm(path: string, form: FormData, method: 'POST' | 'PUT'): Promise<Answer> {
    const encoded = new Response(form);
    const type = encoded.headers.get('content-type') ?? '';
    const answer = await this.request(method, path, {
      type,
      text: new Uint8Array(await encoded.arrayBuffer()),
    });
    return answer ?? super.postForm(path, form, method);
  }

  override async sendFile(file: string): Promise<string> {
    const credentials = this.credentials && exported(this.credentials);
    const answer = await this.library.call('upload', { url: this.url, credentials, file });
    return String(toAnswer(answer).json()['upload_id']);
  }

  /** Null: nobody is logged in, which the library refuses by itself. */
  private async request(
    method: string,
    path: string,
    body?: { readonly type: string; readonly text: string | Uint8Array },
  ): Promise<Answer | null> {
    if (!this.credentials) return null;
    const { origin } = new URL(this.url);
    const answer = await this.library.call('request', {
      ...{ url: this.url, method, credentials: exported(this.credentials) },
      path: path.startsWith(origin) ? path.slice(origin.length) : path,
      headers: { Accept: 'application/json', ...(body && { 'Content-Type': body.type }) },
      ...(body && { body: Buffer.from(body.text).toString('base64') }),
    });
    if (answer.credentials) this.credentials = readExported(answer.credentials);
    return toAnswer(answer);
  }
}
