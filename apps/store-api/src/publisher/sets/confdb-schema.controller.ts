import { Get, Inject, Param } from '@nestjs/common';
import { decodeAssertion, header } from '#libs/assertions';
import { listAssertionsUnder } from '#libs/database';
import type { Publisher, Resources } from '#libs/operations';
import { RESOURCES } from '../../resources.js';
import { Who } from '../who.js';
import { PublisherController } from '../surface.js';

/** F1, the reading half (publisher-api.md 3.14): what the account has; confdb schemas cannot be edited here. */
@PublisherController('api/v2/confdb-schemas')
export class ConfdbSchemaController {
  constructor(@Inject(RESOURCES) private readonly resources: Resources) {}

  @Get()
  list(@Who() who: Publisher): Promise<object> {
    return this.answer(who.accountId, null);
  }

  @Get(':name')
  one(@Who() who: Publisher, @Param('name') name: string): Promise<object> {
    return this.answer(who.accountId, name);
  }

  private async answer(accountId: string, name: string | null): Promise<object> {
    const rows = await this.resources.db.asBrand(accountId, (tx) =>
      listAssertionsUnder(tx, 'confdb-schema', [accountId]),
    );
    const found = rows
      .map(({ bytes }) => decodeAssertion(bytes))
      .filter((one) => name === null || header(one, 'name') === name);
    return {
      assertions: found.map(({ headers, body }) => ({
        headers,
        body: Buffer.from(body ?? '').toString(),
      })),
    };
  }
}
