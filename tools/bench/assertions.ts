import { generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import {
  AssertionDatabase,
  contentToSign,
  decodeAssertion,
  decodeAssertions,
  encodeAssertions,
  localSigner,
  signAssertion,
  type Assertion,
  type Signer,
} from '#libs/assertions';

const HELP = `usage: bench assertions [--rounds N]

Measures the assertions library against bare crypto.verify in the same process, and exits 1 when a target is missed:
decode and check of a serial at 0.85 of bare verify, reading at 100 MB/s or 50,000 small assertions a second, and
reading time linear in the size.`;

const NOW = new Date('2026-01-01T00:00:00Z');
const TIMESTAMP = '2025-06-01T00:00:00Z';

/** Prints the figures with their targets. @returns 0 when all targets are met, 1 otherwise, 2 for wrong arguments */
export async function main(args: string[]): Promise<number> {
  const rounds = args.length === 0 ? 9 : Number(args[1]);
  if ((args.length !== 0 && (args.length !== 2 || args[0] !== '--rounds')) || !(rounds >= 1)) {
    console.error(HELP);
    return 2;
  }
  const world = await makeWorld();
  const results = [
    checkRate(world, rounds),
    ...readingRates(world, rounds),
    ...linearity(world, rounds),
  ];
  for (const { line } of results) console.log(line);
  const missed = results.filter(({ isMet }) => !isMet).length;
  console.log(missed === 0 ? 'all targets met' : `${missed} targets missed`);
  return missed === 0 ? 0 : 1;
}

interface Result {
  readonly line: string;
  readonly isMet: boolean;
}

interface World {
  readonly database: AssertionDatabase;
  readonly brandKey: KeyObject;
  readonly brand: Signer;
  readonly serial: Assertion;
}

async function makeWorld(): Promise<World> {
  const [brandPair, devicePair] = [newKeyPair(), newKeyPair()];
  const brand = localSigner(brandPair.privateKey);
  const device = localSigner(devicePair.privateKey);
  const account = await sign(brand, 'account', {
    'authority-id': 'acme',
    'account-id': 'acme',
    'display-name': 'Acme',
    validation: 'verified',
  });
  const accountKey = await signAssertion(
    {
      type: 'account-key',
      headers: {
        'authority-id': 'acme',
        'account-id': 'acme',
        'public-key-sha3-384': brand.publicKey.id,
        since: '2024-01-01T00:00:00Z',
      },
      body: brand.publicKey.encoded,
    },
    brand,
    NOW,
  );
  const serial = await sign(brand, 'serial', {
    'authority-id': 'acme',
    'brand-id': 'acme',
    model: 'acme-edge-20',
    serial: 'ACME-0001',
    'device-key': device.publicKey.encoded,
    'device-key-sha3-384': device.publicKey.id,
  });
  const database = new AssertionDatabase({ trusted: [account, accountKey] });
  return { database, brand, brandKey: brandPair.publicKey, serial };
}

function newKeyPair() {
  return generateKeyPairSync('rsa', { modulusLength: 4096 });
}

function sign(
  signer: Signer,
  type: Assertion['type'],
  headers: Record<string, unknown>,
): Promise<Assertion> {
  return signAssertion({ type, headers: { ...headers, timestamp: TIMESTAMP } }, signer, NOW);
}

/** Bare verify and our decode plus check take turns, so that other work on the machine burdens both alike. */
function checkRate({ database, brandKey, serial }: World, rounds: number): Result {
  const number = Buffer.from(serial.signature.replaceAll('\n', ''), 'base64').subarray(-512);
  const signed = signedBytes(serial);
  const bare = (): void => {
    if (!verify('sha512', signed, brandKey, number)) throw new Error('the bare call must verify');
  };
  const ours = (): void => {
    const verdict = database.check(decodeAssertion(serial.bytes), NOW);
    if (!verdict.valid) throw new Error(verdict.message);
  };
  const pairs = Array.from(
    { length: rounds },
    () => [callsPerSecond(bare, 300), callsPerSecond(ours, 300)] as const,
  );
  const ratio = median(pairs.map(([bareRate, ourRate]) => ourRate / bareRate));
  const [bareRate, ourRate] = [
    median(pairs.map(([rate]) => rate)),
    median(pairs.map(([, rate]) => rate)),
  ];
  return {
    isMet: ratio >= 0.85,
    line: `serial, 4096 bit: bare verify ${whole(bareRate)}/s, decode + check ${whole(ourRate)}/s, ratio ${ratio.toFixed(3)} (target 0.85)`,
  };
}

/** Content and OpenPGP suffix, rebuilt from the signature packet (assertions.md 5). */
function signedBytes({ content, signature }: Assertion): Buffer {
  const packet = Buffer.from(signature.replaceAll('\n', ''), 'base64').subarray(4);
  return Buffer.concat([content, packet.subarray(0, 12), Buffer.from([4, 0xff, 0, 0, 0, 12])]);
}

/** Each input must reach one of the two rates: big ones are bound by bytes, small ones by their number. */
function readingRates(world: World, rounds: number): Result[] {
  const small = snapBuild(world);
  const inputs: readonly (readonly [string, Buffer, number])[] = [
    ['one snap-build', small, 1],
    ['one serial', world.serial.bytes, 1],
    [
      'stream of 1000 snap-builds',
      encodeAssertions(Array.from({ length: 1000 }, () => decodeAssertion(small))),
      1000,
    ],
    ['validation-set of 1500 snaps', validationSet(world, 1500), 1],
    ['repair with a body of 2 MB', repair(world, 2_000_000), 1],
  ];
  return inputs.map(([name, input, count]) => {
    const read = (): void => void decodeAssertions(input);
    const rate = median(Array.from({ length: rounds }, () => callsPerSecond(read, 150)));
    const megabytes = (rate * input.length) / 1e6;
    const assertions = rate * count;
    return {
      isMet: megabytes >= 100 || assertions >= 50_000,
      line: `reading ${name}: ${whole(assertions)} assertions/s, ${megabytes.toFixed(0)} MB/s (target 50,000/s or 100 MB/s)`,
    };
  });
}

/** Ten times the input may take twelve times as long, for what each call costs at the small end and noise. */
function linearity(world: World, rounds: number): Result[] {
  const kinds: readonly (readonly [string, readonly Buffer[]])[] = [
    ['headers', [13, 130, 1300].map((count) => validationSet(world, count))],
    ['body', [20_000, 200_000, 2_000_000].map((size) => repair(world, size))],
    [
      'lines in one value',
      [80, 800, 8000].map((count) => repair(world, 1, 'line\n'.repeat(count))),
    ],
    ['nesting', [3, 30, 300].map((depth) => nested(world, depth))],
  ];
  return kinds.map(([name, inputs]) => {
    const perByte = inputs.map((input) => {
      const read = (): void => void decodeAssertions(input);
      const best = Math.max(...Array.from({ length: rounds }, () => callsPerSecond(read, 60)));
      return 1e9 / best / input.length;
    });
    const [one = 0, ten = 0, hundred = 0] = perByte;
    const sizes = inputs.map((input) => `${(input.length / 1000).toFixed(1)} kB`).join(', ');
    return {
      isMet: ten <= one * 1.2 && hundred <= ten * 1.2,
      line: `reading time of ${name} (${sizes}): ${perByte.map((ns) => ns.toFixed(2)).join(', ')} ns per byte (target: not growing)`,
    };
  });
}

/** Reading does not look into the signature, so inputs for it carry a made-up one. */
function unsigned(world: World, draft: Parameters<typeof contentToSign>[0]): Buffer {
  const content = contentToSign(draft, world.brand.publicKey.id);
  return Buffer.concat([content, Buffer.from(`\n\n${world.serial.signature}`)]);
}

function snapBuild(world: World): Buffer {
  const headers = {
    'authority-id': 'acme',
    'snap-sha3-384': world.brand.publicKey.id,
    'snap-id': 'a'.repeat(32),
    grade: 'stable',
    'snap-size': '123456',
    timestamp: TIMESTAMP,
  };
  return unsigned(world, { type: 'snap-build', headers });
}

function validationSet(world: World, count: number): Buffer {
  const snaps = Array.from({ length: count }, (_, index) => ({
    name: `snap-${index}`,
    id: index.toString(36).padStart(32, '0'),
    revision: '7',
  }));
  const headers = {
    'authority-id': 'acme',
    'account-id': 'acme',
    series: '16',
    name: 'base-set',
    sequence: '1',
    snaps,
    timestamp: TIMESTAMP,
  };
  return unsigned(world, { type: 'validation-set', headers });
}

function repair(world: World, bodySize: number, text = 'x'): Buffer {
  const headers = {
    'authority-id': 'acme',
    'brand-id': 'acme',
    'repair-id': '1',
    summary: 'a repair',
    notes: text,
    timestamp: TIMESTAMP,
  };
  return unsigned(world, { type: 'repair', headers, body: 'x'.repeat(bodySize) });
}

function nested(world: World, depth: number): Buffer {
  let value: unknown = 'leaf';
  for (let level = 0; level < depth; level += 1) value = [value];
  const headers = { ...decodeAssertion(snapBuild(world)).headers, nested: value };
  return unsigned(world, { type: 'snap-build', headers });
}

function callsPerSecond(call: () => void, milliseconds: number): number {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  do {
    call();
    calls += 1;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  return (calls * 1000) / elapsed;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
