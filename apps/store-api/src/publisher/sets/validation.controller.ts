import { Body, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { z } from 'zod';
import { header, type Assertion } from '#libs/assertions';
import type { Snap } from '#libs/database';
import {
  BrandAssertionService,
  OperationError,
  principalOf,
  requirePackage,
  requireRole,
  SnapDirectory,
  ValidationService,
  type Gate,
  type Publisher,
} from '#libs/operations';
import { Who } from '../who.js';
import { PublisherController, readBody } from '../surface.js';

const validationRequest = z.object({ assertion: z.string().max(100_000) });

/** K3, publisher-api.md 3.13: which revisions of other snaps this one lets through. */
@PublisherController('dev/api/snaps/:snapId/validations')
export class ValidationController {
  constructor(
    @Inject(SnapDirectory) private readonly snaps: SnapDirectory,
    @Inject(ValidationService) private readonly validations: ValidationService,
    @Inject(BrandAssertionService) private readonly assertions: BrandAssertionService,
  ) {}

  @Get()
  async list(
    @Who() who: Publisher,
    @Param('snapId') id: string,
    @Query('include_revoked') withRevoked?: string,
  ): Promise<object[]> {
    const snap = await this.snaps.getOwn(who.accountId, { id });
    requirePackage(who, snap, 'package_access');
    const gates = await this.validations.gates(snap.brandId, snap.id, withRevoked === '1');
    return gates.map((gate) => toItem(gate, snap));
  }

  @Put()
  async add(
    @Who() who: Publisher,
    @Param('snapId') id: string,
    @Body() body: unknown,
  ): Promise<object> {
    requireRole(who, 'admin', 'publisher', 'releaser');
    const { assertion } = readBody(validationRequest, body);
    const snap = await this.snaps.getOwn(who.accountId, { id });
    const isAbout = assertion.split('\n').includes(`snap-id: ${snap.id}`);
    if (!/^type: validation$/m.test(assertion) || !isAbout)
      throw new OperationError('invalid', `this is no validation by ${snap.name}`, {
        wire: 'invalid-field',
      });
    const { primaryKey, revision } = await this.assertions.add(
      principalOf(who),
      who.accountId,
      assertion,
    );
    return { primary_key: primaryKey, revision };
  }
}

/** Exactly the keys that clients know: one more breaks them. */
function toItem({ snapId, snapName, isRequired, validation }: Gate, gating: Snap): object {
  return {
    type: 'validation',
    'authority-id': gating.brandId,
    series: '16',
    'snap-id': gating.id,
    'approved-snap-id': snapId,
    'approved-snap-name': snapName ?? snapId,
    'approved-snap-revision': validation ? header(validation, 'approved-snap-revision') : '-',
    timestamp: validation ? header(validation, 'timestamp') : gating.createdAt.toISOString(),
    revoked: validation && isRevoked(validation) ? 'true' : 'false',
    required: isRequired,
    revision: String(validation?.revision ?? 0),
    ...(validation && { 'sign-key-sha3-384': validation.signKeyId }),
  };
}

const isRevoked = (validation: Assertion): boolean => header(validation, 'revoked') === 'true';
