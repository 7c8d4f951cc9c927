import { Agent, request, type IncomingHttpHeaders } from 'node:http';

export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface WireCall {
  readonly method?: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A kept connection may end just as it is used; a device asks again. */
const TRIES = 3;

/** Connections to one store, kept and shared: a hundred thousand devices do not call at the same moment. */
export class DeviceWire {
  /** Requests that were answered. */
  answered = 0;
  private readonly agent: Agent;

  constructor(
    private readonly storeUrl: string,
    width: number,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: width });
  }

  /** `target`: a path, or an absolute URL of the store. Redirects are not followed. Rejects when nobody answers. */
  async call(target: string, call: WireCall): Promise<WireAnswer> {
    for (let left = TRIES; ; left -= 1) {
      try {
        const answer = await this.send(new URL(target, this.storeUrl), call);
        this.answered += 1;
        return answer;
      } catch (error) {
        if (left === 1) throw error;
      }
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private send(url: URL, { method = 'GET', headers, body }: WireCall): Promise<WireAnswer> {
    const { agent } = this;
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const sent = request(url, { agent, method, headers: { ...headers, ...length } }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const { statusCode: status = 0, headers } = answer;
          resolve({ status, headers, text: Buffer.concat(chunks).toString() });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
