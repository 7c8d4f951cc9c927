import { Body, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { PublisherLoginService } from '#libs/operations';
import { PublisherController, readBody } from '../surface.js';
import { aclRequest, dischargeRequest, refreshRequest } from './login.schema.js';

/** The store as its own login service: A1, A2, A3 (publisher-api.md 2.3, 2.6). */
@PublisherController('')
export class LoginController {
  constructor(@Inject(PublisherLoginService) private readonly logins: PublisherLoginService) {}

  @Post('dev/api/acl')
  @HttpCode(200)
  async acl(@Body() body: unknown): Promise<{ macaroon: string }> {
    const { permissions, description, expires, packages, channels } = readBody(aclRequest, body);
    const macaroon = await this.logins.start({
      permissions,
      description,
      expiresAt: expires ? new Date(expires) : null,
      packages: packages?.map(({ name }) => name) ?? null,
      channels: channels ?? null,
    });
    return { macaroon };
  }

  @Post('api/v2/tokens/discharge')
  @HttpCode(200)
  async discharge(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
  ): Promise<{ discharge_macaroon: string }> {
    const { email, password, caveat_id: caveatId, otp } = readBody(dischargeRequest, body);
    const order = { email, password, caveatId, otp: otp ?? null, address: request.ip };
    return { discharge_macaroon: await this.logins.discharge(order) };
  }

  @Post('api/v2/tokens/refresh')
  @HttpCode(200)
  async refresh(@Body() body: unknown): Promise<{ discharge_macaroon: string }> {
    const { discharge_macaroon: old } = readBody(refreshRequest, body);
    return { discharge_macaroon: await this.logins.refresh(old) };
  }
}
