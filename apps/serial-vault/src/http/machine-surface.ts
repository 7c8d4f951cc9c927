import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { exportFormat, type ExportFormat } from '../administration/log-export.js';
import { readLogFilter } from '../administration/log-filter.js';
import { JournalService } from '../administration/journal.service.js';
import { OrderService } from '../administration/order.service.js';
import { ReconciliationService } from '../administration/reconciliation.service.js';
import { TokenService, type VaultPrincipal } from '../administration/token.service.js';
import { VaultError, type VaultErrorCode } from '../administration/vault-error.js';
import { readPrincipal } from '../graphql/context.js';
import { requireRole } from '../graphql/permissions.js';
import type { VaultResources } from '../resources.js';
import { sendJson } from './answers.js';
import { addFormerVaultRoute } from './former-vault-route.js';
import { ADMIN_BASE, permissionOf } from './routes.js';

/** An order of a million serials. */
const MAX_CSV_BYTES = 64 * 1024 * 1024;

const STATUSES: Readonly<Record<VaultErrorCode, number>> = {
  unauthorized: 401,
  'code-needed': 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  invalid: 400,
  unavailable: 503,
};

interface OfBrand {
  readonly brand: string;
}
interface OfModel extends OfBrand {
  readonly model: string;
}

/**
 * What people and machines send and fetch as files, with a token of the administration (serial-vault.md 17.4, decisions
 * 25); errors in the shape of 17.3.
 */
export function machineSurface(resources: VaultResources): FastifyPluginAsync {
  return async (scope) => {
    const tokens = new TokenService(resources);
    scope.setErrorHandler(async (error, request, reply) => sendError(reply, error, request));
    scope.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) =>
      done(null, body),
    );
    // Before the body is read.
    scope.addHook('onRequest', async (request) => {
      const { method, url } = request.routeOptions;
      const who = await readPrincipal(tokens, request);
      requireRole(permissionOf(method, url), 'do this', (request.params as OfBrand).brand, who);
      if (who !== null) principals.set(request, who);
    });
    const principals = new WeakMap<FastifyRequest, VaultPrincipal>();
    const whoOf = (request: FastifyRequest): VaultPrincipal => {
      const who = principals.get(request);
      if (who === undefined) throw new Error('internal error: nobody was let in');
      return who;
    };
    addOrderRoutes(scope, resources, whoOf);
    addLogRoutes(scope, resources);
    addFormerVaultRoute(scope, resources, whoOf);
  };
}

function addOrderRoutes(
  scope: FastifyInstance,
  resources: VaultResources,
  whoOf: (request: FastifyRequest) => VaultPrincipal,
): void {
  const orders = new OrderService(resources);
  scope.post<{ Params: OfModel; Querystring: { order?: string } }>(
    `${ADMIN_BASE}/models/:model/serials`,
    { bodyLimit: MAX_CSV_BYTES },
    async (request, reply) => {
      const { brand, model } = request.params;
      if (typeof request.body !== 'string')
        throw new VaultError('invalid', 'cannot import an order without a body of type text/csv');
      const order = request.query.order ?? '';
      const report = await orders.import(whoOf(request), brand, model, request.body, order);
      return sendJson(reply, 200, report);
    },
  );
  const reconciliation = new ReconciliationService(resources);
  scope.post<{ Params: OfModel; Querystring: { order?: string } }>(
    `${ADMIN_BASE}/models/:model/reconciliation`,
    { bodyLimit: MAX_CSV_BYTES },
    async (request, reply) => {
      const { brand, model } = request.params;
      const { order = '' } = request.query;
      const built = typeof request.body === 'string' ? request.body : 'serial\n';
      const report = await reconciliation.reconcile(brand, model, order, built);
      return reply.code(200).header('content-type', 'text/csv; charset=utf-8').send(report);
    },
  );
}

interface ExportQuery {
  readonly format?: string;
  readonly [filter: string]: string | undefined;
}

function addLogRoutes(scope: FastifyInstance, resources: VaultResources): void {
  const journal = new JournalService(resources);
  scope.get<{ Params: OfBrand; Querystring: ExportQuery }>(
    `${ADMIN_BASE}/serial-log/export`,
    async (request, reply) => {
      const { format: name = 'csv', ...filter } = request.query;
      const format = exportFormat(name);
      const pages = journal.eachLine(request.params.brand, readLogFilter(filter));
      return reply
        .code(200)
        .header('content-type', format.mediaType)
        .header('content-disposition', `attachment; filename="serial-log.${name}"`)
        .send(Readable.from(textOf(format, pages)));
    },
  );
}

async function* textOf(
  { heading, line }: ExportFormat,
  pages: AsyncIterable<string[]>,
): AsyncGenerator<Buffer> {
  if (heading !== '') yield Buffer.from(heading);
  for await (const rows of pages) yield Buffer.from(rows.map(line).join(''));
}

function sendError(reply: FastifyReply, error: unknown, request: FastifyRequest): FastifyReply {
  if (error instanceof VaultError) {
    const { code, message, problems } = error;
    const lines = problems.map((one) => ({ code, message: `${one.path}: ${one.message}` }));
    return sendJson(reply, STATUSES[code], { 'error-list': [{ code, message }, ...lines] });
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status < 500 && error instanceof Error)
    return sendJson(reply, status, { 'error-list': [{ code: 'invalid', message: error.message }] });
  request.log.error({ err: error }, 'a call of the administration failed');
  const message = 'cannot answer now; the log of the vault says why';
  return sendJson(reply, 500, { 'error-list': [{ code: 'internal', message }] });
}
