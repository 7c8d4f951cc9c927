import { Body, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { Assertion } from '#libs/assertions';
import { BrandAssertionService, ConfdbSchemaService, type Publisher } from '#libs/operations';
import { PublisherController, readBody } from '../surface.js';
import { Who } from '../who.js';
import { confdbDraftRequest } from './confdb-schema.schema.js';
import { addSigned, pick, requireOwnAccount } from './edited-assertion.js';

/** F1, publisher-api.md 3.14: any token will do, the assertion is what proves. */
@PublisherController('api/v2/confdb-schemas')
export class ConfdbSchemaController {
  constructor(
    @Inject(ConfdbSchemaService) private readonly schemas: ConfdbSchemaService,
    @Inject(BrandAssertionService) private readonly assertions: BrandAssertionService,
  ) {}

  @Get()
  async list(@Who() who: Publisher): Promise<object> {
    return toAnswer(await this.schemas.list(who.accountId, null));
  }

  @Get(':name')
  async one(@Who() who: Publisher, @Param('name') name: string): Promise<object> {
    return toAnswer(await this.schemas.list(who.accountId, name));
  }

  @Post('build-assertion')
  @HttpCode(200)
  build(@Who() who: Publisher, @Body() body: unknown): Promise<object> {
    const { 'account-id': accountId, ...draft } = readBody(confdbDraftRequest, body);
    requireOwnAccount(who, accountId);
    return this.schemas.draft({ accountId, ...draft });
  }

  @Post()
  @HttpCode(200)
  async add(@Who() who: Publisher, @Body() body: unknown): Promise<object> {
    return toAnswer([await addSigned(this.assertions, who, 'confdb-schema', body)]);
  }
}

const NAMES = [
  ...['type', 'authority-id', 'account-id', 'name', 'summary', 'views', 'timestamp'],
  ...['body-length', 'sign-key-sha3-384'],
];

const toAnswer = (found: readonly Assertion[]): object => ({
  assertions: found.map(({ headers, revision, body }) => ({
    headers: { ...pick(headers, NAMES), revision: String(revision) },
    body: body.toString('utf8'),
  })),
});
