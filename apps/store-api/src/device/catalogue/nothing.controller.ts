import { Controller, Get, HttpCode, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DeviceServices } from '../device-services.js';
import { sendHal, sendJson } from '../http/answers.js';
import { openView } from '../http/caller.js';
import { DeviceErrorFilter } from '../http/device-error.filter.js';
import { DeviceError, notFound } from '../http/device-error.js';
import { parseBody } from '../http/parse-body.js';
import { messagesRequest } from './catalogue.schema.js';

/** Calls of snapd that this store has nothing for: it says so in the words that let the client go on. */
@Controller()
@UseFilters(DeviceErrorFilter)
export class NothingController {
  constructor(private readonly services: DeviceServices) {}

  /** The old search, which is reached only where the new one is missing (device-api.md 2.23). */
  @Get('api/v1/snaps/search')
  async search(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await openView(this.services, request);
    await sendHal(reply, 'clickindex:package', []);
  }

  /** Nothing is sold to devices (device-api.md 2.22, S34). */
  @Get('api/v1/snaps/purchases/orders')
  async orders(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await openView(this.services, request);
    await sendJson(reply, 200, { orders: [] });
  }

  @Get('api/v1/snaps/purchases/customers/me')
  customer(@Res() reply: FastifyReply): FastifyReply {
    return sendPurchaseError(reply, 'nobody has an account to buy with at this store');
  }

  @Post('api/v1/snaps/purchases/buy')
  buy(@Res() reply: FastifyReply): FastifyReply {
    return sendPurchaseError(reply, 'nothing is sold at this store');
  }

  /** Messages to devices are GraphQL's and update control's business; the experiment of snapd finds its box empty (device-api.md 2.21). */
  @Post('v2/messages')
  @HttpCode(200)
  async messages(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await openView(this.services, request);
    const { messages } = parseBody(messagesRequest, request.body);
    if (messages && messages.length > 0) {
      const message = 'this store sent no message, so it takes no answer to one';
      throw new DeviceError(400, [{ code: 'no-such-message', message }]);
    }
    await sendJson(reply, 200, { messages: [], 'total-pending-messages': 0 });
  }

  /** Repairs verify against a root that only the maker of snapd has; a clean 404 ends the device's round (device-api.md 2.20). */
  @Get('v2/repairs/:brand/:id')
  repair(): never {
    throw notFound('no such repair');
  }
}

/** The oldest calls spell their list with an underscore (device-api.md 2.22). */
function sendPurchaseError(reply: FastifyReply, message: string): FastifyReply {
  const errors = [{ code: 'not-found', message }];
  return sendJson(reply, 404, { error_list: errors, 'error-list': errors });
}
