import { fractionOf } from '../../../tools/simulate/seeded.js';
import { DEVICE_ROUTES, plainCall, type Call } from './device-calls.js';

/** A request that nobody should send. `refused`: it must be answered with 4xx; `odd`: it may be understood, and breaks nothing. */
export interface BadRequest {
  readonly route: string;
  /** What is wrong with it. */
  readonly what: string;
  readonly kind: 'refused' | 'odd';
  readonly call: Call;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const ID = 'x'.repeat(32);
const DIGEST = 'A'.repeat(64);
const DAY = '2026-05-04T08:15:00Z';

/** A body of each call with every field that it knows: each of them is then made wrong in all ways. */
const BODIES: Readonly<Record<string, { readonly [name: string]: Json }>> = {
  'POST /v2/snaps/refresh': {
    context: [
      {
        'snap-id': ID,
        'instance-key': ID,
        revision: 1,
        'tracking-channel': 'latest/stable',
        epoch: { read: [0], write: [0] },
        'refreshed-date': DAY,
        'ignore-validation': true,
        'cohort-key': 'key',
        'validation-sets': [['16', ID, 'fleet', '1']],
        held: { by: ['system'] },
      },
    ],
    actions: [
      {
        action: 'refresh',
        'instance-key': ID,
        'snap-id': ID,
        channel: 'latest/stable',
        revision: 2,
        'cohort-key': 'key',
        'ignore-validation': false,
        epoch: { read: [0], write: [0] },
        'validation-sets': [['16', ID, 'fleet', '1']],
      },
      { action: 'install', 'instance-key': 'install-1', name: 'some-snap' },
      {
        action: 'fetch-assertions',
        key: 'AAA',
        assertions: [
          { type: 'account', 'primary-key': [ID], 'if-newer-than': 1 },
          {
            type: 'validation-set',
            'sequence-key': ['16', ID, 'fleet'],
            sequence: 1,
            'if-sequence-equal-or-newer-than': 1,
            'if-newer-than': 1,
          },
        ],
      },
    ],
    fields: ['revision'],
    'assertion-max-formats': { 'snap-declaration': 7 },
  },
  'POST /v2/cohorts': { snaps: ['some-snap'] },
  'POST /v2/messages': {
    after: 'token',
    limit: 10,
    messages: [],
  },
  'POST /api/v1/snaps/auth/sessions': {
    'device-session-request': 'type: device-session-request',
    'serial-assertion': 'type: serial',
    'model-assertion': 'type: model',
  },
  'POST /api/v1/vault/events': {
    id: '00000000-0000-4000-8000-000000000000',
    kind: 'revoked',
    'brand-id': ID,
    model: 'gateway',
    serial: 'SN-1',
    'device-key-sha3-384': DIGEST,
    at: DAY,
    reason: 'lost',
  },
  'POST /api/v1/vault/models': {
    id: '00000000-0000-4000-8000-000000000000',
    kind: 'models',
    'brand-id': ID,
  },
};

/** Where this store reads no body, whatever it is does no harm; registration is the vault's to judge. */
const BODILESS = new Set([
  'POST /api/v1/snaps/auth/nonces',
  'POST /api/v1/snaps/auth/request-id',
  'POST /api/v1/snaps/auth/devices',
  'POST /api/v1/snaps/purchases/buy',
]);

const kindOf = (value: Json): string =>
  Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
const WRONG: readonly Json[] = [
  true,
  12.5,
  'text \u0000 with NUL',
  [],
  {},
  [[[1]]],
  { a: { b: 1 } },
];
/** Takes texts, numbers and objects of several forms (device-api.md 0.4). */
const WRONG_EPOCHS: readonly Json[] = [true, '1**', { read: 'all' }, { read: [0, 0] }, -1];
const WRONG_NUMBERS: readonly Json[] = [1.5, 1e30, '1'];

/** All places in a value, as paths. */
function places(value: Json, path: readonly (string | number)[] = []): (string | number)[][] {
  const inside = Array.isArray(value)
    ? value.map((one: Json, no): [number, Json] => [no, one])
    : kindOf(value) === 'object'
      ? Object.entries(value as Readonly<Record<string, Json>>)
      : [];
  const deeper = path.includes('epoch')
    ? []
    : inside.flatMap(([key, one]) => places(one, [...path, key]));
  return [...(path.length > 0 ? [[...path]] : []), ...deeper];
}

function valueAt(value: Json, path: readonly (string | number)[]): Json {
  return path.reduce<Json>((at, key) => (at as Record<string | number, Json>)[key] ?? null, value);
}

/** A copy with another value in one place. */
function put(value: Json, [key, ...rest]: readonly (string | number)[], other: Json): Json {
  if (key === undefined) return other;
  const copy = (Array.isArray(value) ? [...(value as Json[])] : { ...(value as object) }) as Record<
    string | number,
    Json
  >;
  copy[key] = put(copy[key] ?? null, rest, other);
  return copy;
}

function wrongValues(name: string | number | undefined, value: Json): readonly Json[] {
  if (name === 'epoch') return WRONG_EPOCHS;
  const others = WRONG.filter((one) => kindOf(one) !== kindOf(value));
  if (kindOf(value) === 'number') return [...others, ...WRONG_NUMBERS];
  if (typeof value === 'string') return [...others, `${value}\0`];
  // A list of what is not text holds a text list's only mistake.
  return kindOf(value) === 'array' ? [...others, [[[1]]]] : others;
}

const TYPED = { 'content-type': 'application/json' } as const;
const json = (route: string, body: string | Buffer): Call => ({
  ...plainCall(route),
  headers: TYPED,
  body,
});

function* wrongFields(route: string): Generator<BadRequest> {
  const body = BODIES[route];
  if (!body) return;
  for (const path of places(body)) {
    const value = valueAt(body, path);
    for (const other of wrongValues(path.at(-1), value)) {
      const what = `${path.join('.')} is ${JSON.stringify(other)}`;
      yield {
        route,
        what,
        kind: 'refused',
        call: json(route, JSON.stringify(put(body, path, other))),
      };
    }
  }
}

const deep = (opening: string, closing: string, times: number): string =>
  opening.repeat(times) + closing.repeat(times);
const BODY_MISTAKES: Readonly<Record<string, string | Buffer>> = {
  'no JSON': 'actions=1',
  'half a JSON': '{"actions":[',
  'a list': '[]',
  'a text': '"actions"',
  'a number': '7',
  nothing: 'null',
  'deep lists': deep('[', ']', 100_000),
  'deep objects': `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
  'deep in a field': `{"actions":${deep('[', ']', 100_000)},"snaps":${deep('[', ']', 1_000)},"limit":[]}`,
  'a prototype': '{"__proto__":{"actions":[]},"actions":[]}',
  'bytes that are no UTF-8': Buffer.from('{"actions":[],"snaps":["\xff\xfe"],"limit":1}', 'latin1'),
  'a cut letter': Buffer.from('{"actions":[]}\xc3', 'latin1'),
  'a byte order mark of UTF-16': Buffer.from('\ufeff{"actions":[]}', 'utf16le'),
};

function* wrongBodies(route: string): Generator<BadRequest> {
  if (!route.startsWith('POST ')) return;
  const reads = !BODILESS.has(route);
  for (const [what, body] of Object.entries(BODY_MISTAKES))
    yield { route, what, kind: reads ? 'refused' : 'odd', call: json(route, body) };
  for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'x']) {
    const call = { ...json(route, '{"a":1}'), headers: { 'content-type': type } };
    yield { route, what: type, kind: reads ? 'refused' : 'odd', call };
  }
  yield {
    route,
    what: 'ten megabytes',
    kind: 'refused',
    call: json(route, `"${'x'.repeat(10_000_000)}"`),
  };
}

/** Parameters that are read, with values that say nothing. */
const PARAMETERS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'GET /v2/snaps/info/:name': {
    architecture: ['AMD64!', 'x'.repeat(99), '%00', '../..'],
    fields: ['x'.repeat(5_000), '%00'],
  },
  'GET /v2/snaps/find': {
    architecture: ['AMD64!', '%00'],
    fields: ['x'.repeat(5_000)],
    confinement: ['loose', 'strict,loose', '%00'],
    q: ['x'.repeat(500), 'a%00b'],
    name: ['x'.repeat(500), '%00'],
    'common-id': ['x'.repeat(500), '%00'],
    category: ['x'.repeat(500), '%00'],
    channel: ['a/b/c/d', 'latest/reckless', '%00', '//'],
    private: ['perhaps', '1'],
  },
  'GET /api/v1/snaps/names': { architecture: ['AMD64!', '%00'], confinement: ['loose', '%00'] },
  'GET /v2/assertion-streams': {
    wanted: ['', 'x', 'bm9uc2Vuc2U', '%00', 'x'.repeat(5_000), 'e30'],
  },
};

function* wrongParameters(route: string): Generator<BadRequest> {
  for (const [name, values] of Object.entries(PARAMETERS[route] ?? {})) {
    const { path, method } = plainCall(route);
    for (const value of values)
      yield {
        route,
        what: `${name}=${value.slice(0, 20)}`,
        kind: 'refused',
        call: { method, path: `${path}?${name}=${value}` },
      };
    const twice = `${path}?${name}=amd64&${name}=arm64`;
    yield { route, what: `${name} twice`, kind: 'refused', call: { method, path: twice } };
    const nested = `${path}?${name}[a]=amd64`;
    yield { route, what: `${name} as an object`, kind: 'odd', call: { method, path: nested } };
  }
}

const WORDS = [
  '%00',
  'a%00b',
  '%ff%fe',
  '%',
  '%zz',
  '%C3',
  '..%2f..%2fetc',
  '%2e%2e',
  '%0a',
  'x'.repeat(2_000),
  '{}',
  "'",
  '%F0%9F%90%99',
  '-1',
  '1e9',
];

/** Words in the path where a name, id or file is meant. */
function* wrongPaths(route: string): Generator<BadRequest> {
  const [, path = ''] = route.split(' ');
  const holes = path.match(/:\w+|\*/g) ?? [];
  for (const hole of holes)
    for (const word of WORDS) {
      const { method, headers, body } = plainCall(route);
      const at = path.replace(hole, word).replace(/:\w+|\*/g, 'nothing');
      // Where a body is read, it is looked at first; here nothing is there.
      yield {
        route,
        what: word.slice(0, 20),
        kind: 'refused',
        call: { method, headers: headers ?? {}, body: body ?? '', path: at },
      };
    }
  if (path.includes('/assertions/'))
    for (const query of [
      'max-format=x',
      'max-format=-1',
      'max-format=1e9',
      'max-format=1&max-format=2',
      'sequence=x',
      'sequence=0x1',
      'sequence=1&sequence=2',
      'max-format=%00',
      'sequence=99999999999',
    ]) {
      const call = { method: 'GET', path: `/v2/assertions/validation-set/16/${ID}/fleet?${query}` };
      yield { route, what: query, kind: 'refused', call };
    }
}

function* wrongMethods(route: string): Generator<BadRequest> {
  const { path } = plainCall(route);
  const [verb] = route.split(' ');
  for (const method of ['PUT', 'PATCH', 'DELETE', 'POST', 'GET']) {
    if (method === verb || DEVICE_ROUTES.includes(`${method} ${route.split(' ')[1]}`)) continue;
    yield {
      route,
      what: method,
      kind: 'refused',
      call: { method, path, headers: TYPED, body: method === 'GET' ? '' : '{}' },
    };
  }
}

const HEADERS = [
  ['snap-device-authorization', 'Macaroon root="x"'],
  ['x-device-authorization', 'Macaroon root="x"'],
  ['snap-device-store', 'no store\u00e9'],
  ['x-ubuntu-store', '%00'],
  ['snap-device-architecture', 'AMD64!'],
  ['x-ubuntu-architecture', ''],
  ['snap-device-series', '99'],
  ['snap-classic', 'perhaps'],
  ['user-agent', 'snapd/99999999999999999999.x (series'],
  ['range', 'bytes=9-1'],
  ['if-none-match', '"'],
  ['accept', ';;q=x'],
  ['accept-encoding', 'gzip;q=nine'],
  ['content-encoding', 'gzip'],
  ['snap-refresh-reason', 'whim'],
  ['snap-accept-delta-format', ',,,'],
  ['authorization', 'Macaroon root="x", discharge='],
  ['vault-key', 'x'],
  ['x-request-id', '../..'],
] as const;

/** Every header twice, with another value the second time; a session that is none is refused elsewhere. */
function* repeatedHeaders(route: string): Generator<BadRequest> {
  const { headers = {}, ...call } = plainCall(route);
  for (const [name, value] of HEADERS) {
    const twice = { ...headers, [name]: [value, `${value}2`] };
    yield { route, what: `${name} twice`, kind: 'odd', call: { ...call, headers: twice } };
  }
}

/** Bodies with several mistakes at places that the seed names. */
function* manyMistakes(route: string, count: number, seed: string): Generator<BadRequest> {
  const body = BODIES[route];
  if (!body) return;
  const all = places(body);
  for (let no = 0; no < count; no += 1) {
    const pick = <T>(from: readonly T[], what: string): T =>
      from[Math.floor(fractionOf(seed, route, no, what) * from.length)] as T;
    const path = pick(all, 'place');
    const wrong = pick(wrongValues(path.at(-1), valueAt(body, path)), 'value');
    const other = pick(all, 'other');
    // The second may take the first one's place away; then it is a mistake itself.
    const second = pick(wrongValues(other.at(-1), valueAt(body, other)), 'second');
    const isApart = !path.join().startsWith(other.join()) && !other.join().startsWith(path.join());
    const changed = isApart ? put(put(body, path, wrong), other, second) : put(body, path, wrong);
    const what = `${seed} ${no}: ${path.join('.')}, ${other.join('.')}`;
    yield { route, what, kind: 'refused', call: json(route, JSON.stringify(changed)) };
  }
}

/** At least two thousand for all routes that devices may call; the same for the same seed. */
export function badRequests(seed: string): BadRequest[] {
  return DEVICE_ROUTES.flatMap((route) => [
    ...wrongFields(route),
    ...wrongBodies(route),
    ...wrongParameters(route),
    ...wrongPaths(route),
    ...wrongMethods(route),
    ...repeatedHeaders(route),
    ...manyMistakes(route, 100, seed),
  ]);
}
