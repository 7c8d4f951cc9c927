import { performance } from 'node:perf_hooks';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { localSigner, type Signer } from '#libs/assertions';
import { startStack } from '#stack';
import { ask } from '../clients/http.js';
import { Narrator } from '../demo/narrator.js';
import { startVaultStory, VAULT_CHAPTERS, type VaultStory } from '../demo/vault/index.js';
import { known } from '../demo/story/index.js';
import { deviceOf, MODEL } from '../demo/vault/vault-story.js';
import { startInstallation } from '../installation/index.js';
import { keptKeys } from '../demo/kept-keys.js';
import { cheapKey } from '../clients/cheap-keys.js';

/** serial-vault.md 16 and 22, V92: on four cores. */
const LIMITS = { p99Ms: 1000, delayMs: 50 } as const;
const WATCH_MS = 5000;
/** The metric counts its own resolution in. */
const RESOLUTION_MS = 10;

interface Measured {
  /** Of request-id and serial together, and the device's signature between them. */
  readonly times: readonly number[];
  readonly errors: readonly string[];
  readonly delayMs: number;
}

/**
 * `npm run bench -- registrations [--minutes 10] [--rate 20]`: devices register at a real vault at the pace of the clock, whether the
 * ones before have their answer or not. @returns 0 when the limits are kept
 */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '10' },
      rate: { type: 'string', default: '20' },
    },
  });
  const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
  const stack = await startStack({ ephemeral: true, log: (line) => console.log(line) });
  try {
    const installation = await startInstallation({
      ...{ stack, apps: ['store-api', 'worker', 'serial-vault'] },
      // As a factory: all devices of the bench share an address.
      env: { RATE_EXEMPT: '127.0.0.1' },
    });
    try {
      const deviceKeys = await keptKeys(1, 4096, `${stack.dir}/brand-key.json`);
      const story = startVaultStory({ installation, narrator: new Narrator(), deviceKeys });
      await VAULT_CHAPTERS[0]?.tell(story);
      const count = Math.round(minutes * 60 * rate);
      const keys = Array.from({ length: count }, () => localSigner(cheapKey()));
      await orderSerials(story, keys.length);
      console.log(`${keys.length} devices, ${rate}/s on ${availableParallelism()} processors`);
      return report(await measure(story, keys, rate));
    } finally {
      await installation.stop();
    }
  } finally {
    await stack.stop();
  }
}

const serialOf = (no: number): string => `BENCH-${no}`;

async function orderSerials(story: VaultStory, count: number): Promise<void> {
  const serials = Array.from({ length: count }, (_, no) => serialOf(no));
  const { installation, brandId } = story;
  const csv = ['serial', ...serials, ''].join('\n');
  await known(story.production, 'the production').importOrder(
    ...([installation.vaultUrl, brandId, MODEL, 'bench', csv] as const),
  );
}

async function measure(
  story: VaultStory,
  keys: readonly Signer[],
  rate: number,
): Promise<Measured> {
  const times: number[] = [];
  const errors: string[] = [];
  const watch = watchDelay(`http://127.0.0.1:${story.installation.ports.vaultOps}/metrics`);
  const start = performance.now();
  const under = keys.map(async (key, no) => {
    const due = start + (no * 1000) / rate;
    await sleep(due - performance.now());
    try {
      const { status, text } = await deviceOf(story, serialOf(no), key).requestSerial();
      if (status === 200) times.push(performance.now() - due);
      else errors.push(`${status} ${text.slice(0, 200)}`);
    } catch (error) {
      errors.push(String(error));
    }
  });
  await Promise.all(under);
  return { times: times.sort((a, b) => a - b), errors, delayMs: await watch.end() };
}

/** The highest p99 of the vault's HTTP process in any few seconds: the metric begins anew at each look. */
function watchDelay(url: string): { end(): Promise<number> } {
  const stopping = new AbortController();
  const look = async (): Promise<number> => {
    const { text } = await ask(url);
    const [, seconds] = /^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)/m.exec(text) ?? [];
    if (seconds === undefined) throw new Error(`cannot find the event loop's delay at ${url}`);
    return Number(seconds) * 1000 - RESOLUTION_MS;
  };
  const watching = (async () => {
    await look();
    let highest = 0;
    while (!stopping.signal.aborted) {
      await sleep(WATCH_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      highest = Math.max(highest, await look());
    }
    return highest;
  })();
  return {
    end: () => {
      stopping.abort();
      return watching;
    },
  };
}

function report({ times, errors, delayMs }: Measured): number {
  const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? Infinity;
  const [p50, p99, most] = [at(0.5), at(0.99), at(1)].map((ms) => `${ms.toFixed(0)} ms`);
  console.log(`both calls: p50 ${p50}, p99 ${p99} (below ${LIMITS.p99Ms} ms), longest ${most}`);
  console.log(`${times.length} registered, ${errors.length} not`);
  for (const error of new Set(errors)) console.log(`  ${error}`);
  console.log(
    `event loop of the HTTP process, p99 of its worst ${WATCH_MS / 1000} s: ${delayMs.toFixed(1)} ms (below ${LIMITS.delayMs})`,
  );
  const isKept = errors.length === 0 && at(0.99) < LIMITS.p99Ms && delayMs < LIMITS.delayMs;
  console.log(isKept ? 'kept' : 'NOT kept');
  return isKept ? 0 : 1;
}
