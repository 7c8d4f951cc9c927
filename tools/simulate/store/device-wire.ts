import { Pool } from 'undici';

export interface WireAnswer {
  readonly status: number;
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
  private readonly pool: Pool;

  constructor(
    private readonly storeUrl: string,
    width: number,
  ) {
    this.pool = new Pool(storeUrl, { connections: width });
  }

  /** `target`: a path, or an absolute URL of the store. Redirects are not followed. Rejects when nobody answers. */
  async call(target: string, call: WireCall): Promise<WireAnswer> {
    for (let left = TRIES; ; left -= 1) {
      try {
        const answer = await this.send(target, call);
        this.answered += 1;
        return answer;
      } catch (error) {
        if (left === 1) throw error;
      }
    }
  }

  close(): Promise<void> {
    return this.pool.destroy();
  }

  private async send(
    target: string,
    { method = 'GET', headers, body }: WireCall,
  ): Promise<WireAnswer> {
    const { pathname, search } = new URL(target, this.storeUrl);
    const path = pathname + search;
    const answer = await this.pool.request({ path, method, headers, body: body ?? null });
    return { status: answer.statusCode, text: await answer.body.text() };
  }
}
