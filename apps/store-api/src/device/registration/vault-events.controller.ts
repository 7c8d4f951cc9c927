import { Controller, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { VAULT_EVENT_KINDS } from '#libs/operations';
import { DeviceServices } from '../device-services.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { parseBody } from '../http/parse-body.js';
import { text, word } from '../http/text.js';
import { vaultSignatureOf } from './vault-signature-of.js';

const name = word(200);

const vaultEvent = z.object({
  id: z.uuid(),
  kind: z.enum(VAULT_EVENT_KINDS),
  'brand-id': name,
  model: name,
  serial: name,
  'device-key-sha3-384': name.nullish(),
  to: z.object({ model: name, serial: name }).nullish(),
  at: z.iso.datetime({ offset: true }),
  reason: text(2_000),
});

/** What a vault tells the store about its devices (ARCHITECTURE.md, "Between store and vault"). */
@Controller('api/v1/vault/events')
@UseFilters(DeviceErrorFilter)
export class VaultEventsController {
  constructor(private readonly services: DeviceServices) {}

  @Post()
  async receive(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const event = parseBody(vaultEvent, request.body);
    await this.services.vaultEvents.receive(
      {
        id: event.id,
        kind: event.kind,
        brandId: event['brand-id'],
        model: event.model,
        serial: event.serial,
        deviceKeyId: event['device-key-sha3-384'] ?? null,
        to: event.to ?? null,
        reason: event.reason,
      },
      vaultSignatureOf(request),
    );
    request.log.info({ event: event.id, kind: event.kind }, 'a vault told of a device');
    // This process acts on it before it says so; the others hear of it by NOTIFY.
    await this.services.overlay.refresh();
    await reply.code(204).send();
  }
}
