import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { VaultPrincipal } from '../administration/token.service.js';
import { FormerVaultService } from '../former-vault/former-vault.service.js';
import { linesOf } from '../former-vault/lines-of.js';
import type { VaultResources } from '../resources.js';
import { sendJson } from './answers.js';
import { FORMER_VAULT } from './routes.js';

/** A log of many years. */
const MAX_DUMP_BYTES = 64 * 2 ** 30;
const DUMP_TYPE = 'application/sql';

/** The dump of a former vault, read as it arrives; `?apply=true`, else nothing is changed (docs/former-vault.md). */
export function addFormerVaultRoute(
  scope: FastifyInstance,
  resources: VaultResources,
  whoOf: (request: FastifyRequest) => VaultPrincipal,
): void {
  const service = new FormerVaultService(resources);
  scope.addContentTypeParser(DUMP_TYPE, (_request, body, done) => done(null, body));
  scope.post<{ Body: Readable | undefined; Querystring: { apply?: string } }>(
    FORMER_VAULT,
    { bodyLimit: MAX_DUMP_BYTES },
    async (request, reply) => {
      // The rest of a dump that is wrong is heard out: whoever still sends would not hear the answer.
      const body = request.body ?? Readable.from([]);
      const lines = linesOf(body.iterator({ destroyOnReturn: false }));
      try {
        const isApplied = request.query.apply === 'true';
        return sendJson(reply, 200, await service.import(whoOf(request), lines, isApplied));
      } finally {
        body.resume();
      }
    },
  );
}
