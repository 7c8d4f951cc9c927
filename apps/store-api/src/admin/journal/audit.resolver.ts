import { Args, Context, ID, Int, Parent, Query, ResolveField } from '@nestjs/graphql';
import type { AuditRow } from '#libs/database';
import { AuditService, type AuditVerdict } from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import type { AdminContext } from '../context.js';
import { connection, fromCursor, pageSize, type Connection } from '../paging.js';
import { said } from '../said.js';
import {
  AuditConnectionType,
  AuditEntryType,
  AuditFilterInput,
  AuditVerdictType,
} from './audit.type.js';

@AdminResolver(() => AuditEntryType)
export class AuditResolver {
  constructor(private readonly audit: AuditService) {}

  @Query(() => AuditConnectionType)
  async auditLog(
    @Args('brand', { type: () => ID }) brand: string,
    @Args('first', { type: () => Int, nullable: true }) first?: number,
    @Args('after', { type: () => String, nullable: true }) after?: string,
    @Args('filter', { type: () => AuditFilterInput, nullable: true }) filter?: AuditFilterInput,
  ): Promise<Connection<AuditRow>> {
    const key = fromCursor(after, /^\d{1,15}$/);
    const before = key === null ? null : Number(key);
    const page = await this.audit.page(brand, said(filter ?? {}), pageSize(first), before);
    return connection(page.rows, page.hasMore, ({ seq }) => seq);
  }

  @Query(() => AuditVerdictType, {
    description: 'Walks the whole chain: whether nobody has changed, added or removed a row.',
  })
  verifyAuditLog(@Args('brand', { type: () => ID }) brand: string): Promise<AuditVerdict> {
    return this.audit.verify(brand);
  }

  @ResolveField(() => String, { nullable: true, description: 'Mail address of a person.' })
  async actorEmail(
    @Parent() { brandId, actor }: AuditRow,
    @Context() { loaders }: AdminContext,
  ): Promise<string | null> {
    const id = /^person:(.+)$/.exec(actor)?.[1];
    if (id === undefined) return null;
    const [person] = await loaders.people.load({ brandId, id });
    return person?.email ?? null;
  }
}
