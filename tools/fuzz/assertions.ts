import { performance } from 'node:perf_hooks';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  AssertionDatabase,
  AssertionError,
  decodeAssertion,
  decodeAssertions,
  encodeAssertions,
  type Assertion,
} from '#libs/assertions';

const HELP = `usage: fuzz assertions [--seconds N] [--seed N] [--corpus FOLDER]

Mutates the test vectors and feeds them to the decoders and the checks (600 seconds by default). Anything thrown but the
library's own error, an input that takes longer than 100 ms, or growing memory is a finding: it is printed and the exit
status is 1.`;

const SLOW_MS = 100;
/** Heap that may remain above the level after the first tenth of the run, in bytes. */
const GROWTH_LIMIT = 16 * 1024 * 1024;

interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly corpus: string;
}

/** Prints executions, the slowest input, memory and findings. @returns 0 without findings, 1 with, 2 for wrong arguments */
export async function main(args: string[]): Promise<number> {
  const options = parse(args);
  if (options === null) {
    console.error(HELP);
    return 2;
  }
  const run = new FuzzRun(options);
  const findings = run.run();
  console.log(run.report());
  for (const finding of findings) console.log(finding);
  return findings.length === 0 ? 0 : 1;
}

function parse(args: readonly string[]): Options | null {
  const options = { seconds: 600, seed: 1, corpus: 'test/vectors/assertions' };
  for (let at = 0; at < args.length; at += 2) {
    const [name, value] = [args[at], args[at + 1]];
    if (value === undefined) return null;
    if (name === '--corpus') options.corpus = value;
    else if (name === '--seconds') options.seconds = Number(value);
    else if (name === '--seed') options.seed = Number(value);
    else return null;
  }
  return options.seconds > 0 && Number.isInteger(options.seed) ? options : null;
}

class FuzzRun {
  private readonly corpus: readonly Buffer[];
  private readonly random: Random;
  private readonly database: AssertionDatabase;
  private readonly findings: string[] = [];
  private executions = 0;
  private accepted = 0;
  private slowestMs = 0;
  private heapBefore = 0;
  private heapAfter = 0;

  constructor(private readonly options: Options) {
    this.corpus = readCorpus(options.corpus);
    this.random = new Random(options.seed);
    const root = ['root-account', 'root-account-key'].map((name) =>
      decodeAssertion(readFileSync(join(options.corpus, 'chain', `${name}.assert`))),
    );
    this.database = new AssertionDatabase({ trusted: root });
  }

  run(): readonly string[] {
    const start = performance.now();
    const end = start + this.options.seconds * 1000;
    const warm = start + this.options.seconds * 100;
    for (let now = start; now < end && this.findings.length < 10; now = performance.now()) {
      if (this.heapBefore === 0 && now > warm) this.heapBefore = settledHeap();
      this.once(mutate(this.pick(), this.random, () => this.pick()));
    }
    this.heapAfter = settledHeap();
    if (this.heapBefore > 0 && this.heapAfter - this.heapBefore > GROWTH_LIMIT) {
      this.findings.push(`memory grew by ${megabytes(this.heapAfter - this.heapBefore)}`);
    }
    return this.findings;
  }

  report(): string {
    return [
      `${this.executions.toLocaleString('en')} executions from ${this.corpus.length} inputs, seed ${this.options.seed}`,
      `${this.accepted.toLocaleString('en')} mutated inputs decoded`,
      `slowest ${this.slowestMs.toFixed(1)} ms (limit ${SLOW_MS} ms)`,
      `heap ${megabytes(this.heapBefore)} after a tenth, ${megabytes(this.heapAfter)} at the end`,
      `${this.findings.length} findings`,
    ].join('\n');
  }

  private pick(): Buffer {
    return this.corpus[this.random.below(this.corpus.length)] ?? Buffer.alloc(0);
  }

  private once(input: Buffer): void {
    this.executions += 1;
    const start = performance.now();
    let single: Assertion[] = [];
    let stream: Assertion[] = [];
    try {
      single = attempt(() => [decodeAssertion(input)]);
      stream = attempt(() => decodeAssertions(input, { maxAssertions: 1000 }));
    } catch (error) {
      this.record(`threw ${String(error)}`, input);
    }
    this.time(performance.now() - start, input);
    try {
      for (const assertion of [...single, ...stream.slice(0, 3)]) this.useDecoded(assertion);
    } catch (error) {
      this.record(`using what was read threw ${String(error)}`, input);
    }
  }

  /** A pause of the machine is no finding: what is slow is slow again. */
  private time(tookMs: number, input: Buffer): void {
    let best = tookMs;
    for (let again = 0; again < 3 && best > SLOW_MS; again += 1) {
      best = Math.min(
        best,
        timed(() => this.replay(input)),
      );
    }
    this.slowestMs = Math.max(this.slowestMs, best);
    if (best > SLOW_MS) this.record(`took ${best.toFixed(0)} ms`, input);
  }

  /** What was read must come back byte for byte, and checking it must not throw. */
  private useDecoded(assertion: Assertion): void {
    this.accepted += 1;
    this.database.check(assertion, new Date('2026-01-01'));
    const again = decodeAssertions(encodeAssertions([assertion]));
    if (again.length !== 1 || again[0]?.bytes.equals(assertion.bytes) !== true) {
      throw new Error('decoding what was encoded gives other bytes');
    }
  }

  private replay(input: Buffer): void {
    attempt(() => [decodeAssertion(input)]);
    attempt(() => decodeAssertions(input, { maxAssertions: 1000 }));
  }

  private record(problem: string, input: Buffer): void {
    this.findings.push(
      `FINDING ${problem}\n  input (base64): ${input.toString('base64').slice(0, 20_000)}`,
    );
  }
}

function attempt(decode: () => Assertion[]): Assertion[] {
  try {
    return decode();
  } catch (error) {
    if (error instanceof AssertionError) return [];
    throw error;
  }
}

function timed(call: () => void): number {
  const start = performance.now();
  call();
  return performance.now() - start;
}

function settledHeap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function readCorpus(folder: string): Buffer[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.assert'))
    .map((file) => readFileSync(join(folder, file)))
    .filter((input) => input.length < 20_000);
}

/** Pieces of syntax that random bytes seldom hit. */
const TOKENS = [
  '\n',
  '\n\n',
  ':',
  ': ',
  '  - ',
  '  -\n',
  '    ',
  '\n  a: b',
  '\n  -\n    -\n      - x',
  'body-length: 5\n',
  'body-length: -1\n',
  'revision: 9223372036854775807\n',
  'format: 7\n',
  '\x00',
  '\r',
  '\ufeff',
  '\xff',
  '[',
  '(a+)+$',
  '(((((((((((a{0,9}){0,9}){0,9})))))))',
  '$MISSING',
  '$SLOT(a)',
  '=',
  'AcLBUgQAAQoABgUC',
  'type: model\n',
  '__proto__: x\n',
  'constructor:\n  prototype: x\n',
  '2024-02-30T00:00:00Z',
  '99999999999999999999',
  '"',
  '\\',
  '{',
  '*',
].map((token) => Buffer.from(token, 'latin1'));

type Mutation = (input: Buffer, random: Random, other: () => Buffer) => Buffer;

const mutations: readonly Mutation[] = [
  (input, random) =>
    replaceAt(input, random.below(input.length + 1), 1, Buffer.from([random.below(256)])),
  (input, random) =>
    replaceAt(input, random.below(input.length + 1), 0, TOKENS[random.below(TOKENS.length)]),
  (input, random) => replaceAt(input, random.below(input.length + 1), random.below(20), undefined),
  (input, random) =>
    replaceAt(
      input,
      random.below(input.length + 1),
      random.below(6),
      random.bytes(random.below(6)),
    ),
  (input, random) => input.subarray(0, random.below(input.length + 1)),
  swapLines,
  (input, random) => repeatLine(input, random),
  blowUp,
  (input, random, other) => splice(input, other(), random),
  (input, _random, other) => Buffer.concat([input, Buffer.from('\n'), other()]),
];

function mutate(input: Buffer, random: Random, other: () => Buffer): Buffer {
  let mutated = input;
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    mutated = mutations[random.below(mutations.length)]?.(mutated, random, other) ?? mutated;
  }
  return mutated;
}

function replaceAt(input: Buffer, at: number, length: number, by: Buffer | undefined): Buffer {
  return Buffer.concat([input.subarray(0, at), by ?? Buffer.alloc(0), input.subarray(at + length)]);
}

function swapLines(input: Buffer, random: Random): Buffer {
  const lines = input.toString('latin1').split('\n');
  const [a, b] = [random.below(lines.length), random.below(lines.length)];
  [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
  return Buffer.from(lines.join('\n'), 'latin1');
}

function repeatLine(input: Buffer, random: Random): Buffer {
  const lines = input.toString('latin1').split('\n');
  const at = random.below(lines.length);
  const times = [2, 50, 2000][random.below(3)] ?? 2;
  const many = Array.from({ length: times }, () => lines[at] ?? '');
  return Buffer.from([...lines.slice(0, at), ...many, ...lines.slice(at)].join('\n'), 'latin1');
}

/** Repeats a short stretch up to the size that headers may have: what is not linear shows. */
function blowUp(input: Buffer, random: Random): Buffer {
  if (random.below(8) > 0) return input;
  const start = random.below(input.length + 1);
  const token = TOKENS[random.below(TOKENS.length)] ?? input;
  const stretch =
    random.below(2) === 0 ? token : input.subarray(start, start + 1 + random.below(12));
  if (stretch.length === 0) return input;
  const many = Buffer.alloc(1 + random.below(100_000), stretch);
  return Buffer.concat([input.subarray(0, start), many, input.subarray(start)]);
}

function splice(input: Buffer, other: Buffer, random: Random): Buffer {
  return Buffer.concat([
    input.subarray(0, random.below(input.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ]);
}

/** A small repeatable generator (mulberry32): a finding can be found again by its seed. */
class Random {
  constructor(private state: number) {}

  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * limit);
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}
