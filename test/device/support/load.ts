import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

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
export function shoot(url: string, agent: Agent, { path, headers, body }: Call): Promise<Shot> {
  const started = performance.now();
  return new Promise((resolve) => {
    const done = (status: number, text: string): void =>
      resolve({ status, ms: performance.now() - started, body: text });
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
    call.end(body);
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
    while (Date.now() < end) shots.push(await shoot(url, agent, next()));
  };
  await Promise.all(Array.from({ length: width }, one));
  agent.destroy();
  return shots;
}

/** So many calls a second, whether they are answered or not: what a crowd does. */
export async function openLoop(
  url: string,
  perSecond: number,
  next: () => Call,
  forMs: number,
): Promise<Shot[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const shots: Promise<Shot>[] = [];
  const started = performance.now();
  for (let passed = 0; passed < forMs; passed = performance.now() - started) {
    while (shots.length < (passed / 1000) * perSecond) shots.push(shoot(url, agent, next()));
    await sleep(5);
  }
  const all = await Promise.all(shots);
  agent.destroy();
  return all;
}

export function percentile(shots: readonly Shot[], share: number): number {
  const sorted = shots.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
