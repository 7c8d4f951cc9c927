import { Body, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import {
  BrandAssertionService,
  ValidationSetService,
  type Publisher,
  type SequenceWish,
} from '#libs/operations';
import { Who } from '../who.js';
import { PublisherController, readBody } from '../surface.js';
import { addSigned, badRequest, requireOwnAccount } from './edited-assertion.js';
import { setDraftRequest } from './validation-set.schema.js';
import { toSetHeaders } from './to-set-headers.js';

/** V1 to V3, publisher-api.md 3.14: any token will do, the assertion is what proves; replies have no other keys than these. */
@PublisherController('api/v2/validation-sets')
export class ValidationSetController {
  constructor(
    @Inject(ValidationSetService) private readonly sets: ValidationSetService,
    @Inject(BrandAssertionService) private readonly assertions: BrandAssertionService,
  ) {}

  @Get()
  list(@Who() who: Publisher, @Query('sequence') sequence?: string): Promise<object> {
    return this.answer(who, null, sequence);
  }

  @Get(':name')
  one(
    @Who() who: Publisher,
    @Param('name') name: string,
    @Query('sequence') sequence?: string,
  ): Promise<object> {
    return this.answer(who, name, sequence);
  }

  @Post('build-assertion')
  @HttpCode(200)
  build(@Who() who: Publisher, @Body() body: unknown): Promise<object> {
    const { 'account-id': accountId, name, sequence, snaps } = readBody(setDraftRequest, body);
    if (sequence < 1) throw badRequest(`${sequence} is less than the minimum of 1 at /sequence`);
    requireOwnAccount(who, accountId);
    return this.sets.draft({ accountId, name, sequence, snaps });
  }

  @Post()
  @HttpCode(200)
  async add(@Who() who: Publisher, @Body() body: unknown): Promise<object> {
    const added = await addSigned(this.assertions, who, 'validation-set', body);
    return { assertions: [{ headers: toSetHeaders(added) }] };
  }

  private async answer(
    who: Publisher,
    name: string | null,
    sequence: string | undefined,
  ): Promise<object> {
    const found = await this.sets.list(who.accountId, name, readSequence(sequence));
    return { assertions: found.map((one) => ({ headers: toSetHeaders(one) })) };
  }
}

function readSequence(text = 'latest'): SequenceWish {
  if (text === 'all' || text === 'latest') return text;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw badRequest(`cannot read the sequence '${text}': use a number, 'all' or 'latest'`);
}
