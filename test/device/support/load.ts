import { Agent, request } from 'node:http';

export interface Shot {
  readonly status: number;
  readonly ms: number;
  readonly body: string;
}

export interface Call {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One POST over a kept connection; status 0 for a connection that failed. */
export function shoot(
  url: string,
  agent: Agent,
  { path, headers, body }: Call,
  onSent: () => void = () => {},
): Promise<Shot> {
  const started = performance.now();
  return new Promise((resolve) => {
    const done = (status: number, text: string): void => {
      onSent();
      resolve({ status, ms: performance.now() - started, body: text });
    };
    const call = request(`${url}${path}`, {
      method: 'POST',
      agent,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...headers,
      },
    });
    call.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => done(response.statusCode ?? 0, Buffer.concat(pieces).toString()));
      response.on('error', (error) => done(0, String(error)));
    });
    call.on('error', (error) => done(0, String(error)));
    call.end(body, onSent);
  });
}

/** The status that answers a body announced with so many bytes, of which only the beginning is sent. */
export function announce(
  url: string,
  { path, headers, body }: Call,
  bytes: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(`${url}${path}`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': bytes, ...headers },
    });
    call.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      call.destroy();
    });
    call.on('error', reject);
    call.write(body.slice(0, 1_000));
  });
}

/** As many calls at a time as `width`, until `isOver`: what the store can do. */
export async function closedLoop(
  url: string,
  width: number,
  next: () => Call,
  forMs: number,
): Promise<Shot[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: width });
  const shots: Shot[] = [];
  const end = Date.now() + forMs;
  const one = async (): Promise<void> => {
    do shots.push(await shoot(url, agent, next()));
    while (Date.now() < end);
  };
  await Promise.all(Array.from({ length: width }, one));
  agent.destroy();
  return shots;
}

/**
 * All these calls at once, each over a connection of its own, while the process cannot answer: `held` freezes it until
 * everything is on its way, so that what waits for it does not depend on how fast this machine can ask.
 */
export async function rush(
  url: string,
  calls: readonly Call[],
  held: { freeze(): void; thaw(): void },
): Promise<Shot[]> {
  const agent = new Agent({ maxSockets: Infinity });
  held.freeze();
  try {
    const sent: Promise<void>[] = [];
    const shots = calls.map((call) => {
      let isSent = (): void => {};
      sent.push(new Promise((resolve) => (isSent = resolve)));
      return shoot(url, agent, call, isSent);
    });
    await Promise.all(sent);
    held.thaw();
    return await Promise.all(shots);
  } finally {
    held.thaw();
    agent.destroy();
  }
}

export function percentile(shots: readonly Shot[], share: number): number {
  const sorted = shots.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
