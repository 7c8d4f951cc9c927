import { stat } from 'node:fs/promises';
import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindDischarge, decodeMacaroon, encodeMacaroon } from '#libs/auth';
import { type Signer, signAssertion } from '#libs/assertions';
import { type Answer, ask, expectStatus } from './http.js';

const PERMISSIONS = [
  'package_access',
  'package_manage',
  'package_push',
  'package_register',
  'package_release',
  'package_update',
];

export interface UploadResult {
  readonly revision: number | null;
  readonly code: string;
  readonly problems: readonly string[];
}

/** Does what `snapcraft` does, call for call, in the Ubuntu One mode (publisher-api.md 2.3, 3). */
export class Publisher {
  /** The header of the login. */
  authorization = '';

  constructor(private readonly storeUrl: string) {}

  /** publisher-api.md 2.3 steps 1 to 4; `register-key` asks for its own permission, and so may we. */
  async login(
    email: string,
    password: string,
    permissions: readonly string[] = [...PERMISSIONS, 'modify_account_key'],
  ): Promise<void> {
    const expires = new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z$/, '+00:00');
    const root = expectStatus(
      'get a root macaroon',
      await this.post('/dev/api/acl/', { permissions, description: 'snapcraft@demo', expires }, ''),
      200,
    ).json<{ macaroon: string }>().macaroon;
    const caveat = decodeMacaroon(root).caveats.find(({ location }) => location !== undefined);
    if (!caveat) throw new Error('cannot log in: the root macaroon has no third-party caveat');
    const discharge = expectStatus(
      'discharge the root macaroon',
      await this.post('/api/v2/tokens/discharge', { email, password, caveat_id: caveat.id }, ''),
      200,
    ).json<{ discharge_macaroon: string }>().discharge_macaroon;
    const bound = bindDischarge(decodeMacaroon(root), decodeMacaroon(discharge));
    this.authorization = `Macaroon root=${root}, discharge=${encodeMacaroon(bound)}`;
  }

  async account(): Promise<{
    account_id: string;
    snaps: Record<string, Record<string, { 'snap-id': string }>>;
  }> {
    return expectStatus('read the account', await this.get('/dev/api/account'), 200).json();
  }

  /** `snapcraft register`, with `--private` and `--store`. */
  async register(
    name: string,
    { isPrivate = false, store }: { isPrivate?: boolean; store?: string } = {},
  ): Promise<string> {
    const answer = await this.post('/dev/api/register-name/', {
      snap_name: name,
      series: '16',
      is_private: isPrivate,
      ...(store !== undefined && { store }),
    });
    return expectStatus(`register ${name}`, answer, 201).json<{ snap_id: string }>().snap_id;
  }

  /** Sends an account-key-request made and signed by `signer`, as `register-key` does. */
  async registerKey(name: string, signer: Signer): Promise<void> {
    const { account_id } = await this.account();
    const request = await signAssertion(
      {
        type: 'account-key-request',
        headers: {
          'account-id': account_id,
          name,
          'public-key-sha3-384': signer.publicKey.id,
          since: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
        },
        body: Buffer.from(signer.publicKey.encoded),
      },
      signer,
      new Date(),
    );
    const answer = await this.post('/dev/api/account/account-key', {
      account_key_request: request.bytes.toString(),
    });
    expectStatus(`register key ${name}`, answer, 200);
  }

  /** The blob alone; returns its upload id. Without `Authorization`, as the client does (publisher-api.md 3.3). */
  async sendBlob(file: string): Promise<string> {
    const form = new FormData();
    form.append(
      'binary',
      await openAsBlob(file, { type: 'application/octet-stream' }),
      basename(file),
    );
    const answer = await ask(`${this.storeUrl}/unscanned-upload/`, { method: 'POST', body: form });
    return String(
      expectStatus(`send ${basename(file)}`, answer, 200).json<{ upload_id: string }>().upload_id,
    );
  }

  /** `snapcraft upload [--release]`: dry run, blob, claim, then polling until it is processed. */
  async upload(
    name: string,
    file: string,
    channels: readonly string[] = [],
  ): Promise<UploadResult> {
    expectStatus('ask before the upload', await this.push({ name, dry_run: true }), 200, 202);
    const claim = {
      name,
      series: '16',
      updown_id: await this.sendBlob(file),
      binary_filesize: (await stat(file)).size,
      source_uploaded: false,
      ...(channels.length > 0 && { channels }),
    };
    const { status_details_url } = expectStatus(`push ${name}`, await this.push(claim), 202).json<{
      status_details_url: string;
    }>();
    return this.waitUntilProcessed(status_details_url);
  }

  push(body: Readonly<Record<string, unknown>>): Promise<Answer> {
    return this.post('/dev/api/snap-push/', body);
  }

  async waitUntilProcessed(statusUrl: string, limitMs = 60_000): Promise<UploadResult> {
    for (const end = Date.now() + limitMs; Date.now() < end; await sleep(100)) {
      // A store that is being restarted is asked again, as a person would run the command again.
      const answer = await this.get(statusUrl).catch(() => undefined);
      if (!answer || answer.status >= 500) continue;
      const status = expectStatus('read the status of the upload', answer, 200).json<{
        processed: boolean;
        code: string;
        revision?: number | null;
        errors?: { message: string }[];
      }>();
      if (!status.processed) continue;
      return {
        revision: status.revision ?? null,
        code: status.code,
        problems: (status.errors ?? []).map(({ message }) => message),
      };
    }
    throw new Error(`cannot wait any longer for ${statusUrl}`);
  }

  async release(name: string, revision: number, channels: readonly string[]): Promise<Answer> {
    return this.post('/dev/api/snap-release/', { name, revision: String(revision), channels });
  }

  get(pathOrUrl: string): Promise<Answer> {
    const url = pathOrUrl.startsWith('/') ? this.storeUrl + pathOrUrl : pathOrUrl;
    return ask(url, { headers: { accept: 'application/json', authorization: this.authorization } });
  }

  post(path: string, body: unknown, authorization = this.authorization): Promise<Answer> {
    return ask(this.storeUrl + path, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        ...(authorization && { authorization }),
      },
      body: JSON.stringify(body),
    });
  }
}
