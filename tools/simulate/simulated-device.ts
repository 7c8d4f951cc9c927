import { createHash } from 'node:crypto';
import { mintDeviceSession, type DeviceIdentity, type SessionKey } from '#libs/auth';
import { askPatiently, expectStatus, persistently, type Answer } from '../clients/http.js';

export interface InstalledRevision {
  readonly snapId: string;
  readonly revision: number;
  readonly channel: string;
}

interface RefreshResult {
  readonly result: string;
  readonly snap?: {
    readonly revision: number;
    readonly download?: { readonly url: string; readonly 'sha3-384': string };
  };
}

/** What a poll came to. */
export interface PollOutcome {
  readonly from: number;
  readonly to: number;
}

/**
 * A device without keys of its own: its session is minted (decisions 23). What it says on the wire is what snapd says: context of
 * all that is installed, one action for each, the download, the assertion at the validate task, and the re-refresh after the
 * change (update-control.md F10, F12).
 */
export class SimulatedDevice {
  private session = '';

  constructor(
    private readonly storeUrl: string,
    readonly identity: DeviceIdentity,
    readonly zoneHours: number,
    private readonly key: SessionKey,
    public installed: InstalledRevision,
    readonly architecture = 'amd64',
  ) {}

  /** A revision whose hooks fail here: it is fetched and tried, and what was installed stays. */
  failsOn: number | null = null;

  /** A session from this moment on, as a device renews its own. */
  renewSession(now: Date): void {
    this.session = mintDeviceSession(this.identity, this.key, now);
  }

  /** The status of a poll with a session that ends at this very moment of the store's clock. */
  async statusWith(session: string): Promise<number> {
    const answer = await this.refresh({}, `Macaroon root="${session}"`);
    return answer.status;
  }

  mintAt(issuedAt: Date): string {
    return mintDeviceSession(this.identity, this.key, issuedAt);
  }

  /** The scheduled refresh; installs what is offered. */
  async poll(): Promise<PollOutcome> {
    const from = this.installed.revision;
    const answer = expectStatus(
      'poll',
      await this.refresh({ 'snap-refresh-reason': 'scheduled' }),
      200,
    );
    const { results } = answer.json<{ results: readonly RefreshResult[] }>();
    const [result] = results;
    if (results.length !== 1 || result?.result !== 'refresh' || !result.snap)
      throw new Error(`cannot accept ${answer.text} as answer to a poll`);
    const to = result.snap.revision;
    if (to === from) return { from, to };
    await this.install(result.snap);
    if (this.installed.revision === from) return { from, to: from };
    // The re-refresh, minutes after the change: it tells the store what is installed now.
    expectStatus('poll again', await this.refresh({}), 200);
    return { from, to };
  }

  private async install({ revision, download }: NonNullable<RefreshResult['snap']>): Promise<void> {
    if (!download) throw new Error(`cannot install revision ${revision}: there is no download`);
    const bytes = await persistently(() => this.download(download.url));
    const digest = createHash('sha3-384').update(bytes).digest();
    if (digest.toString('hex') !== download['sha3-384'])
      throw new Error('cannot install: the bytes are not those announced');
    const path = `/v2/assertions/snap-revision/${digest.toString('base64url')}?max-format=0`;
    const headers = {
      accept: 'application/x.ubuntu.assertion',
      'x-device-authorization': this.authorization,
    };
    const answer = await askPatiently(this.storeUrl + path, { headers });
    const { text } = expectStatus('fetch the snap-revision', answer, 200);
    if (!text.includes(`\nsnap-revision: ${revision}\n`))
      throw new Error('cannot install: the assertion speaks of another revision');
    if (revision !== this.failsOn) this.installed = { ...this.installed, revision };
  }

  private async download(url: string): Promise<Buffer> {
    const headers = { 'x-device-authorization': this.authorization };
    const first = await fetch(url, { redirect: 'manual', headers });
    const target = first.status >= 300 && first.status < 400 ? first.headers.get('location') : null;
    const response = target ? await fetch(new URL(target, url)) : first;
    if (response.status !== 200)
      throw new Error(`cannot download ${url}: status ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  }

  private get authorization(): string {
    return `Macaroon root="${this.session}"`;
  }

  private refresh(
    headers: Readonly<Record<string, string>>,
    authorization = this.authorization,
  ): Promise<Answer> {
    const { snapId, revision, channel } = this.installed;
    const action = { action: 'refresh', 'instance-key': snapId, 'snap-id': snapId, channel };
    const context = {
      'snap-id': snapId,
      'instance-key': snapId,
      revision,
      'tracking-channel': channel,
      epoch: { read: [0], write: [0] },
    };
    return askPatiently(`${this.storeUrl}/v2/snaps/refresh`, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        'user-agent': `snapd/2.77 (series 16) ubuntu-core/24 (${this.architecture}) linux/6.8.0`,
        'snap-device-architecture': this.architecture,
        'snap-device-series': '16',
        'snap-device-store': this.identity.storeId,
        'snap-device-authorization': authorization,
        ...headers,
      },
      body: JSON.stringify({
        context: [context],
        actions: [action],
        fields: ['architectures', 'download', 'epoch', 'name', 'revision', 'snap-id', 'version'],
      }),
    });
  }
}
