import { fork, type ChildProcess } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { KeyringClient, makeRsaKeySync, wrapForSigner } from '#libs/keyring';

/**
 * Acceptance of the vault's signer (issue of the Serial Vault, "done when"): as many signatures as bare `crypto.sign` with
 * the same key on the same number of processes in the same run, less a tenth; and the process that speaks HTTP stays awake.
 */
const LIMITS = { share: 0.9, delayMs: 50 } as const;

const KEY_BITS = 4096;
/** More than a processor each are always waiting, so that none idles. */
const AT_ONCE_PER_PROCESS = 8;
/** As long as a serial is, and of the type that the key is for. */
const CONTENT = Buffer.concat([Buffer.from('type: serial\n'), Buffer.alloc(1_500, 0x61)]);
const MASTER = { kind: 'secret', secret: 'a secret of the benchmark, long enough' } as const;

const signOffThread = promisify(sign);

/** Signatures per second of `work`, `atOnce` of them under way for so long. */
async function rateOf(work: () => Promise<unknown>, atOnce: number, ms: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() - start < ms) {
        await work();
        done += 1;
      }
    }),
  );
  return (done / (performance.now() - start)) * 1000;
}

/** A process that does nothing but `crypto.sign`; told how long, it answers with its rate. */
function bare(pem: string): ChildProcess {
  return fork(fileURLToPath(import.meta.url), ['bare'], {
    env: { ...process.env, BENCH_KEY: pem },
  });
}

async function rateOfBare(processes: readonly ChildProcess[], ms: number): Promise<number> {
  const rates = await Promise.all(
    processes.map(async (child) => {
      child.send(ms);
      const [rate] = (await once(child, 'message')) as [number];
      return rate;
    }),
  );
  return rates.reduce((sum, rate) => sum + rate, 0);
}

/** What stands between the HTTP process and its signers: `processes` of them. */
async function rateOfPool(
  pool: readonly KeyringClient[],
  keyId: string,
  ms: number,
): Promise<number> {
  const rates = await Promise.all(
    pool.map((keyring) => {
      const signer = keyring.signer(keyId, 'serial');
      return rateOf(() => Promise.resolve(signer.sign(CONTENT)), AT_ONCE_PER_PROCESS, ms);
    }),
  );
  return rates.reduce((sum, rate) => sum + rate, 0);
}

/** `npm run bench -- vault [--seconds 5] [--rounds 5]`: 0 when the limits are kept. */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '5' },
      processes: { type: 'string', default: '1' },
    },
  });
  const [ms, rounds] = [Number(values.seconds) * 1000, Number(values.rounds)];
  const count = Number(values.processes);
  const pem = makeRsaKeySync(KEY_BITS).export({ type: 'pkcs8', format: 'pem' }).toString();
  const first = await KeyringClient.start({ masterKey: MASTER, sealedKeys: [] });
  const { sealed, publicKey } = await first.importKey(
    wrapForSigner(await first.transportKey(), { text: pem }),
    'serial',
  );
  const others = Array.from({ length: count - 1 }, () =>
    KeyringClient.start({ masterKey: MASTER, sealedKeys: [sealed] }),
  );
  const pool = [first, ...(await Promise.all(others))];
  const children = Array.from({ length: count }, () => bare(pem));
  try {
    const rates = { bare: [] as number[], pool: [] as number[], delays: [] as number[] };
    await rateOfBare(children, 500);
    await rateOfPool(pool, publicKey.id, 500);
    // One after the other, round by round, so that both see the same machine.
    for (let round = 0; round < rounds; round++) {
      rates.bare.push(await rateOfBare(children, ms));
      const delay = monitorEventLoopDelay({ resolution: 10 });
      delay.enable();
      rates.pool.push(await rateOfPool(pool, publicKey.id, ms));
      delay.disable();
      // The histogram counts the resolution in.
      rates.delays.push(Math.max(0, delay.percentile(99) / 1e6 - 10));
    }
    return report(rates, count);
  } finally {
    for (const child of children) child.kill();
    await Promise.all(pool.map((keyring) => keyring.close()));
  }
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

function report(
  { bare, pool, delays }: Record<'bare' | 'pool' | 'delays', readonly number[]>,
  processes: number,
): number {
  const share = median(pool.map((rate, round) => rate / (bare[round] ?? Infinity)));
  const delayMs = median(delays);
  const rate = (numbers: readonly number[]): string => `${median(numbers).toFixed(0)}/s`;
  console.log(`RSA ${KEY_BITS}, ${processes} process(es) on ${availableParallelism()} processors`);
  console.log(`bare crypto.sign ${rate(bare)}, signer pool ${rate(pool)}`);
  console.log(
    `share ${share.toFixed(3)} (at least ${LIMITS.share}), by rounds: ${pool.map((one, round) => (one / (bare[round] ?? Infinity)).toFixed(3)).join(' ')}`,
  );
  console.log(
    `event loop delay of the asking process, p99: ${delayMs.toFixed(1)} ms (below ${LIMITS.delayMs})`,
  );
  const isKept = share >= LIMITS.share && delayMs < LIMITS.delayMs;
  console.log(isKept ? 'kept' : 'NOT kept');
  return isKept ? 0 : 1;
}

/** The child's part. */
if (process.argv[2] === 'bare' && process.send !== undefined) {
  const key = createPrivateKey(process.env.BENCH_KEY ?? '');
  process.on('message', (ms: number) => {
    void rateOf(() => signOffThread('sha512', CONTENT, key), AT_ONCE_PER_PROCESS, ms).then((rate) =>
      process.send?.(rate),
    );
  });
}
