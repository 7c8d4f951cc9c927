import { Body, Get, HttpCode, Inject, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  actorOfPublisher,
  KeyService,
  NameService,
  principalOf,
  requirePermission,
  requireWholeAccount,
  SnapDirectory,
  storesFor,
  type Publisher,
} from '#libs/operations';
import { Who } from '../who.js';
import { PublisherController, readBody } from '../surface.js';
import { accountKeyRequest, agreementRequest, registerNameRequest } from './account.schema.js';
import { toAccount } from './to-account.js';

/** A5, N1, N2 and K1. */
@PublisherController('dev/api')
export class AccountController {
  constructor(
    @Inject(SnapDirectory) private readonly snaps: SnapDirectory,
    @Inject(NameService) private readonly names: NameService,
    @Inject(KeyService) private readonly keys: KeyService,
  ) {}

  /** Any valid token: `register-key` comes with `modify_account_key` alone (publisher-api.md 2.10). */
  @Get('account')
  async account(@Who() who: Publisher): Promise<object> {
    return toAccount(await this.snaps.account(who.accountId), who);
  }

  /** This store has no terms, so nothing is kept; 8.x offers to accept them and wants an answer (publisher-api.md 3.1). */
  @Post('agreement')
  @HttpCode(200)
  agree(@Body() body: unknown): object {
    const { latest_tos_accepted } = readBody(agreementRequest, body);
    return { content: { latest_tos_accepted } };
  }

  @Post('register-name')
  async register(
    @Who() who: Publisher,
    @Body() body: unknown,
    @Query('dry_run') dryRun: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    requirePermission(who, 'package_register');
    const { snap_name: name, is_private: isPrivate, store } = readBody(registerNameRequest, body);
    const isDryRun = dryRun === '1';
    const order = {
      brandId: who.accountId,
      name,
      isPrivate,
      storeId: store ?? null,
      stores: storesFor(who, 'package_register'),
      isDryRun,
    };
    const snapId = await this.names.register(actorOfPublisher(who), order);
    void reply.status(isDryRun ? 200 : 201);
    return { snap_id: snapId, snap_name: name };
  }

  @Post('account/account-key')
  @HttpCode(200)
  async registerKey(@Who() who: Publisher, @Body() body: unknown): Promise<object> {
    requireWholeAccount(who, 'modify_account_key');
    const { account_key_request: request } = readBody(accountKeyRequest, body);
    const { assertion, keyId } = await this.keys.certify(principalOf(who), who.accountId, {
      request,
    });
    const name = /^name: (.*)$/m.exec(assertion)?.[1] ?? '';
    return { account_key: { 'account-id': who.accountId, name, 'public-key-sha3-384': keyId } };
  }
}
