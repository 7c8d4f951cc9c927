import { LOG_FILTERS } from '../administration/log-filter.js';
import { ROUTES } from './routes.js';

const ASSERTIONS = 'application/x.ubuntu.assertion';
const JSON_TYPE = 'application/json';
const CSV = 'text/csv; charset=utf-8';

/** One call: what it is for, and status → media type of what it answers. */
interface Operation {
  readonly summary: string;
  readonly body?: string;
  readonly query?: readonly string[];
  readonly answers: Readonly<Record<number, string | null>>;
}

const refusals = (...statuses: number[]): Record<number, string> =>
  Object.fromEntries(statuses.map((status) => [status, JSON_TYPE]));
const status = (summary: string, ...more: number[]): Operation => ({
  summary,
  answers: refusals(200, ...more),
});
const requestId: Operation = {
  summary: 'A request-id, good once for ten minutes (serial-vault.md 2.3)',
  answers: refusals(200, 401, 403, 503),
};
const serial: Operation = {
  summary: 'serial-request and model, on remodel the old serial: the serial with its chain (2.4)',
  body: ASSERTIONS,
  answers: { 200: ASSERTIONS, ...refusals(202, 400, 401, 403, 409, 413, 415, 503) },
};

/** What devices call; the fallback route serves them under any prefix (17.1). */
const OF_DEVICES: Readonly<Record<string, Operation>> = {
  'POST /v1/request-id': requestId,
  'POST /v1/serial': serial,
  'POST /api/v1/snaps/auth/request-id': requestId,
  'POST /api/v1/snaps/auth/devices': serial,
};

/** Every other route of the table; a route without a line here stops the process. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /': status('snapd asks a proxy store for its version here'),
  'GET /openapi.json': status('This document'),
  'GET /v1/version': status('Version'),
  'GET /v1/health': status('The database, as clients of the former vault ask', 503),
  'GET /_status/ping': status('The process answers'),
  'GET /_status/check': status('Database and signer', 503),
  'GET /graphql': { summary: 'The administration, by GraphQL', answers: refusals(200, 400) },
  'POST /graphql': {
    summary: 'The administration, by GraphQL',
    body: JSON_TYPE,
    answers: refusals(200, 400, 415),
  },
  'POST /admin/v1/brands/:brand/models/:model/serials': {
    summary: 'A production order: CSV with the columns serial, order, batch; all lines or none',
    body: 'text/csv',
    query: ['order'],
    answers: refusals(200, 400, 401, 403, 404, 413, 415),
  },
  'POST /admin/v1/brands/:brand/models/:model/reconciliation': {
    summary: 'Compares an order with what was built and what was registered',
    body: 'text/csv',
    query: ['order'],
    answers: { 200: CSV, ...refusals(400, 401, 403, 404, 413, 415) },
  },
  'POST /admin/v1/former-vault': {
    summary: 'A plain dump of the former vault: what would come over, with apply=true it does',
    body: 'application/sql',
    query: ['apply'],
    answers: refusals(200, 400, 401, 403, 413, 415),
  },
  'GET /admin/v1/brands/:brand/serial-log/export': {
    summary: 'The signing log as CSV or JSON lines, filtered',
    query: ['format', ...LOG_FILTERS],
    answers: { 200: CSV, ...refusals(400, 401, 403, 404) },
  },
};

/** The machine-readable description (17.4): written from the table of routes, so that it lists what is served. */
export function openApi(publicUrl: string): object {
  const served = Object.keys(ROUTES).filter((route) => route !== 'ALL *');
  const paths: Record<string, Record<string, object>> = {};
  for (const route of [...served, ...Object.keys(OF_DEVICES)]) {
    const operation = OPERATIONS[route] ?? OF_DEVICES[route];
    if (operation === undefined) throw new Error(`internal error: ${route} is not described`);
    const [method = '', url = ''] = route.split(' ');
    const path = url.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[method.toLowerCase()] = toOpenApi(operation, url, route in OF_DEVICES);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Serial Vault', version: '1' },
    servers: [{ url: publicUrl }],
    components: {
      securitySchemes: {
        gadget: { type: 'apiKey', in: 'header', name: 'api-key' },
        token: { type: 'http', scheme: 'bearer' },
      },
    },
    paths,
  };
}

function toOpenApi(
  { summary, body, query = [], answers }: Operation,
  url: string,
  isDevice: boolean,
): object {
  const inPath = [...url.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
  }));
  const parameters = [...inPath, ...query.map((name) => ({ name, in: 'query', required: false }))];
  const scheme = isDevice
    ? 'gadget'
    : url.startsWith('/admin') || url === '/graphql'
      ? 'token'
      : null;
  return {
    summary,
    ...(scheme !== null && { security: [{ [scheme]: [] }] }),
    parameters: parameters.map((one) => ({ ...one, schema: { type: 'string' } })),
    ...(body !== undefined && { requestBody: { content: { [body]: {} } } }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([code, type]) => [
        code,
        {
          description: code === '200' ? summary : 'why not',
          ...(type && { content: { [type]: {} } }),
        },
      ]),
    ),
  };
}
