import { Body, HttpCode, Inject, Post } from '@nestjs/common';
import { z } from 'zod';
import {
  InstalledBase,
  OperationError,
  requirePackage,
  SnapDirectory,
  type Publisher,
} from '#libs/operations';
import { Who } from '../who.js';
import { PublisherController, readBody } from '../surface.js';

const day = z.iso.date();

const metricsRequest = z.object({
  filters: z
    .array(
      z.object({
        snap_id: z.string().max(64),
        metric_name: z
          .string()
          .regex(
            /^((daily|weekly)_device_change|(weekly_)?installed_base_by_(architecture|channel|country|operating_system|version))$/,
            'is no metric',
          ),
        start: day,
        end: day,
      }),
    )
    .min(1)
    .max(20),
});

type Filter = z.infer<typeof metricsRequest>['filters'][number];

/**
 * X1, publisher-api.md 3.15. Devices say what they have, not where they stand or what they had: of the present day the store knows
 * the base by architecture, channel and version; of all else it says NO DATA.
 */
@PublisherController('dev/api/snaps/metrics')
export class MetricsController {
  constructor(
    @Inject(SnapDirectory) private readonly snaps: SnapDirectory,
    @Inject(InstalledBase) private readonly base: InstalledBase,
  ) {}

  @Post()
  @HttpCode(200)
  async metrics(@Who() who: Publisher, @Body() body: unknown): Promise<object> {
    const { filters } = readBody(metricsRequest, body);
    return { metrics: await Promise.all(filters.map((filter) => this.metric(who, filter))) };
  }

  private async metric(who: Publisher, filter: Filter): Promise<object> {
    const { snap_id, metric_name, start, end } = filter;
    const snap = await this.snaps.getOwn(who.accountId, { id: snap_id });
    requirePackage(who, snap, 'package_metrics', 'package_access');
    if (start > end)
      throw new OperationError('invalid', `cannot count from ${start} to ${end}`, {
        wire: 'invalid-date-interval',
      });
    const by = /_by_(architecture|channel|version)$/.exec(metric_name)?.[1] as
      'architecture' | 'channel' | 'version' | undefined;
    const { today } = this.base;
    const isNow = start <= today && today <= end;
    const rows = by && isNow ? await this.base.count(snap.brandId, snap.id, by) : [];
    return {
      status: rows.length > 0 ? 'OK' : 'NO DATA',
      snap_id,
      metric_name,
      buckets: rows.length > 0 ? [today] : [],
      series: rows.map(({ name, count }) => ({ name, values: [count] })),
    };
  }
}
