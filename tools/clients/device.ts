import { createHash } from 'node:crypto';
import {
  type Assertion,
  AssertionDatabase,
  decodeAssertion,
  decodeAssertions,
  header,
  signAssertion,
  type Signer,
} from '#libs/assertions';
import { type Answer, askBytes, askPatiently, expectStatus } from './http.js';

const MAX_FORMATS: Readonly<Record<string, number>> = {
  'account-key': 1,
  'snap-declaration': 7,
  'system-user': 2,
};

export interface InstalledSnap {
  readonly snapId: string;
  readonly name: string;
  readonly revision: number;
  readonly channel: string;
}

export interface SnapResult {
  readonly result: string;
  readonly 'instance-key': string;
  readonly name?: string;
  readonly 'effective-channel'?: string;
  readonly snap?: {
    readonly name?: string;
    readonly 'snap-id'?: string;
    readonly revision: number;
    readonly download?: {
      readonly url: string;
      readonly size: number;
      readonly 'sha3-384': string;
    };
  };
  readonly error?: { readonly code: string; readonly message: string };
}

export interface RefreshAnswer {
  readonly results: readonly SnapResult[];
  readonly 'error-list'?: readonly { code: string; message: string }[];
}

export interface Download {
  readonly bytes: Buffer;
  /** Assertions of the chain that were checked, `type/key…`. */
  readonly checked: readonly string[];
}

export interface DeviceOptions {
  readonly storeUrl: string;
  /** Where request-id and serial live: the base that the gadget would name. */
  readonly vaultUrl: string;
  readonly apiKey?: string;
  /** An image builder's credentials instead of a session (device-api.md 2.18). */
  readonly builderToken?: string;
  readonly model: Assertion;
  /** The device's own key. */
  readonly key: Signer;
  readonly proposedSerial: string;
  /** The trusted root of the device's snapd: root account and root account-key. */
  readonly trusted: readonly Assertion[];
}

/** A device that becomes another model. */
export interface Remodelling {
  readonly from: Assertion;
  /** The old model's. */
  readonly apiKey: string;
}

/** What of a session call is to be other than it should be. */
interface SessionChange {
  readonly nonce?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly claim?: Readonly<Record<string, string>>;
  readonly signer?: Signer;
}

/** A device as the store and the vault see one: snapd's calls on the wire, in snapd's order (device-api.md 3.7). */
export class ScriptedDevice {
  readonly signer: Signer;
  serial: Assertion | undefined;
  session = '';
  readonly installed = new Map<string, InstalledSnap>();
  /** Accounts and their keys: what it has, a device does not ask for again. */
  private readonly prerequisites = new Map<string, Assertion>();

  constructor(readonly options: DeviceOptions) {
    this.signer = options.key;
  }

  get serialNumber(): string {
    return this.serial ? header(this.serial, 'serial') : this.options.proposedSerial;
  }

  /** device-api.md 2.8, 2.9; `remodel`: the serial that it has, sent with the old gadget's settings (serial-vault.md 10.1). */
  async requestSerial(remodel?: Remodelling): Promise<Answer> {
    const { vaultUrl, model } = this.options;
    const headers = remodel ? { 'api-key': remodel.apiKey } : this.gadgetHeaders();
    const originals = remodel && {
      'original-brand-id': header(remodel.from, 'brand-id'),
      'original-model': header(remodel.from, 'model'),
      'original-serial': header(remodel.from, 'serial'),
    };
    const first = expectStatus(
      'get a request-id',
      await askPatiently(`${vaultUrl}/request-id`, { method: 'POST', headers }),
      200,
    );
    const request = await signAssertion(
      {
        type: 'serial-request',
        headers: {
          'brand-id': header(model, 'brand-id'),
          model: header(model, 'model'),
          'request-id': first.json<{ 'request-id': string }>()['request-id'],
          'device-key': this.signer.publicKey.encoded,
          serial: this.options.proposedSerial,
          ...originals,
        },
      },
      this.signer,
      new Date(),
    );
    // The store's own address has another word for it (device-api.md 2.8).
    const last = vaultUrl.endsWith('/api/v1/snaps/auth') ? 'devices' : 'serial';
    return askPatiently(`${vaultUrl}/${last}`, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/x.ubuntu.assertion',
        'snap-device-capabilities': 'serial-stream',
      },
      body: [request, model, ...(remodel ? [remodel.from] : [])]
        .map(({ bytes }) => bytes.toString())
        .join('\n'),
    });
  }

  async register(remodel?: Remodelling): Promise<void> {
    const answer = expectStatus('get a serial', await this.requestSerial(remodel), 200, 201);
    this.serial = decodeAssertions(Buffer.from(answer.text)).find(({ type }) => type === 'serial');
    if (!this.serial) throw new Error('cannot register: the answer holds no serial');
  }

  async nonce(): Promise<string> {
    const answer = await askPatiently(`${this.options.storeUrl}/api/v1/snaps/auth/nonces`, {
      method: 'POST',
      headers: { accept: 'application/json' },
    });
    return expectStatus('get a nonce', answer, 200).json<{ nonce: string }>().nonce;
  }

  /** The body of a session call (device-api.md 2.5), with what the caller wants different. */
  async sessionPapers(change: SessionChange = {}): Promise<string> {
    if (!this.serial) throw new Error('cannot open a session without a serial');
    const request = await signAssertion(
      {
        type: 'device-session-request',
        headers: {
          'brand-id': header(this.serial, 'brand-id'),
          model: header(this.serial, 'model'),
          serial: header(this.serial, 'serial'),
          nonce: change.nonce ?? (await this.nonce()),
          timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
          ...change.claim,
        },
      },
      change.signer ?? this.signer,
      new Date(),
    );
    return JSON.stringify({
      'device-session-request': request.bytes.toString(),
      'serial-assertion': change.serial ?? this.serial.bytes.toString(),
      'model-assertion': change.model ?? this.options.model.bytes.toString(),
    });
  }

  async requestSession(change: SessionChange = {}): Promise<Answer> {
    return askPatiently(`${this.options.storeUrl}/api/v1/snaps/auth/sessions`, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        ...(this.session && { 'x-device-authorization': `Macaroon root="${this.session}"` }),
      },
      body: await this.sessionPapers(change),
    });
  }

  async openSession(): Promise<void> {
    const answer = expectStatus('open a session', await this.requestSession(), 200, 202);
    this.session = answer.json<{ macaroon: string }>().macaroon;
  }

  /** `POST /v2/snaps/refresh` with these actions and all that is installed as context. */
  refresh(
    actions: readonly Record<string, unknown>[],
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const context = [...this.installed.values()].map((snap) => ({
      'snap-id': snap.snapId,
      'instance-key': snap.snapId,
      revision: snap.revision,
      'tracking-channel': snap.channel,
      epoch: { read: [0], write: [0] },
    }));
    return askPatiently(`${this.options.storeUrl}/v2/snaps/refresh`, {
      method: 'POST',
      headers: { ...this.storeHeaders(), ...headers },
      body: JSON.stringify({
        context,
        actions,
        fields: [
          'architectures',
          'confinement',
          'download',
          'epoch',
          'name',
          'revision',
          'snap-id',
          'type',
          'version',
        ],
      }),
    });
  }

  async install(name: string, channel = 'latest/stable'): Promise<SnapResult> {
    const action = { action: 'install', 'instance-key': 'install-1', name, channel, epoch: null };
    return onlyResult(expectStatus(`ask for ${name}`, await this.refresh([action]), 200));
  }

  /** The automatic refresh of one installed snap. */
  async poll(name: string): Promise<SnapResult> {
    const snap = this.installedAs(name);
    const action = {
      action: 'refresh',
      'instance-key': snap.snapId,
      'snap-id': snap.snapId,
      channel: snap.channel,
    };
    const answer = await this.refresh([action], { 'snap-refresh-reason': 'scheduled' });
    return onlyResult(expectStatus(`poll for ${name}`, answer, 200));
  }

  installedAs(name: string): InstalledSnap {
    const snap = [...this.installed.values()].find((one) => one.name === name);
    if (!snap) throw new Error(`cannot poll: ${name} is not installed on ${this.serialNumber}`);
    return snap;
  }

  /** Downloads what a result offers, checks size, hash and the whole chain, and takes it as installed. */
  async fetchAndInstall(
    result: SnapResult,
    channel = 'latest/stable',
    provenance = 'global-upload',
  ): Promise<Download> {
    const { snap } = result;
    if (!snap?.download || !snap.name || !snap['snap-id'])
      throw new Error('cannot install: the result has no download');
    const bytes = await this.download(snap.download.url);
    const digest = createHash('sha3-384').update(bytes).digest();
    if (
      bytes.length !== snap.download.size ||
      digest.toString('hex') !== snap.download['sha3-384']
    ) {
      throw new Error(`cannot install ${snap.name}: the bytes are not those announced`);
    }
    const key = `${digest.toString('base64url')}${provenance === 'global-upload' ? '' : `/${provenance}`}`;
    const checked = await this.checkChain(key, {
      snapId: snap['snap-id'],
      revision: snap.revision,
      size: bytes.length,
      name: snap.name,
    });
    this.installed.set(snap['snap-id'], {
      snapId: snap['snap-id'],
      name: snap.name,
      revision: snap.revision,
      channel: result['effective-channel'] ?? channel,
    });
    return { bytes, checked };
  }

  /** Follows redirects as snapd does: without its authorization (device-api.md 2.3). */
  async download(url: string): Promise<Buffer> {
    const first = await askBytes(url, { headers: this.oldDialect() });
    const target = first.status >= 300 && first.status < 400 ? first.headers.get('location') : null;
    const answer = target ? await askBytes(new URL(target, url).href) : first;
    if (answer.status !== 200) throw new Error(`cannot download ${url}: status ${answer.status}`);
    return answer.bytes;
  }

  async assertion(path: string): Promise<Answer> {
    const maxFormat = MAX_FORMATS[path.split('/')[0] ?? ''] ?? 0;
    return askPatiently(`${this.options.storeUrl}/v2/assertions/${path}?max-format=${maxFormat}`, {
      headers: {
        accept: 'application/x.ubuntu.assertion',
        ...this.oldDialect(),
      },
    });
  }

  /** snap-revision → snap-declaration → accounts → keys, up to the root that the device trusts; then the cross checks of device-api.md 2.2. */
  private async checkChain(
    key: string,
    wanted: { snapId: string; revision: number; size: number; name: string },
  ): Promise<string[]> {
    const revision = await this.fetchAssertion(`snap-revision/${key}`);
    const declaration = await this.fetchAssertion(
      `snap-declaration/16/${header(revision, 'snap-id')}`,
    );
    const database = new AssertionDatabase({ trusted: [...this.options.trusted] });
    const chain: Assertion[] = [];
    const seen = new Set(
      this.options.trusted.map((one) => `${one.type}/${one.primaryKey.join('/')}`),
    );
    const collect = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const one = this.prerequisites.get(path) ?? (await this.fetchAssertion(path));
      this.prerequisites.set(path, one);
      if (one.type === 'account-key') await collect(`account/${header(one, 'account-id')}`);
      await collect(`account-key/${one.signKeyId}`);
      chain.push(one);
    };
    await collect(`account/${header(declaration, 'publisher-id')}`);
    await collect(`account/${header(revision, 'developer-id')}`);
    for (const one of [declaration, revision]) {
      await collect(`account-key/${one.signKeyId}`);
      chain.push(one);
    }
    for (const one of chain) {
      const verdict = database.add(one, new Date());
      if (!verdict.valid) throw new Error(`cannot trust ${one.type}: ${verdict.message}`);
    }
    const mismatch =
      header(revision, 'snap-id') !== wanted.snapId ||
      Number(header(revision, 'snap-revision')) !== wanted.revision ||
      Number(header(revision, 'snap-size')) !== wanted.size ||
      header(declaration, 'snap-name') !== wanted.name;
    if (mismatch)
      throw new Error(`cannot install ${wanted.name}: its assertions speak of another file`);
    return chain.map((one) => `${one.type}/${one.primaryKey.join('/')}`);
  }

  private async fetchAssertion(path: string): Promise<Assertion> {
    return decodeAssertion(
      Buffer.from(expectStatus(`fetch ${path}`, await this.assertion(path), 200).text),
    );
  }

  private gadgetHeaders(): Record<string, string> {
    return this.options.apiKey ? { 'api-key': this.options.apiKey } : {};
  }

  /** Of assertions and downloads (device-api.md 0.3, level 1). */
  private oldDialect(): Record<string, string> {
    const { store } = this.options.model.headers;
    return {
      ...(typeof store === 'string' && { 'x-ubuntu-store': store }),
      ...this.deviceHeader('x-device-authorization'),
    };
  }

  private deviceHeader(name: string): Record<string, string> {
    const { builderToken } = this.options;
    if (builderToken !== undefined) return { authorization: `Bearer ${builderToken}` };
    return this.session ? { [name]: `Macaroon root="${this.session}"` } : {};
  }

  private storeHeaders(): Record<string, string> {
    const store = this.options.model.headers.store;
    return {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'snapd/2.77 (series 16) ubuntu-core/24 (amd64) linux/6.8.0',
      'snap-accept-delta-format': 'xdelta3',
      'snap-classic': 'false',
      'snap-device-architecture': 'amd64',
      'snap-device-capabilities': 'default-tracks',
      'snap-device-series': '16',
      ...(typeof store === 'string' && { 'snap-device-store': store }),
      ...this.deviceHeader('snap-device-authorization'),
    };
  }
}

function onlyResult(answer: Answer): SnapResult {
  const { results } = answer.json<RefreshAnswer>();
  const [result] = results;
  if (!result || results.length !== 1)
    throw new Error(`cannot read the answer: ${results.length} results for one action`);
  return result;
}
