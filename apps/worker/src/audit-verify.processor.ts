import { AuditService, type Resources } from '#libs/operations';
import { handle, jobs, type JobHandler } from '#libs/queue';
import type { Logger } from '#libs/runtime';

/** Hashes a brand's audit chain again; a break is an event of the brand and an error in the log. */
export function auditVerifyProcessor(resources: Resources, logger: Logger): JobHandler {
  const audit = new AuditService(resources);
  return handle(jobs.auditVerify, async ({ brandId }) => {
    const { isIntact, brokenSeq } = await audit.check(brandId);
    if (!isIntact) logger.error({ brandId, brokenSeq }, 'the audit log of a brand was changed');
  });
}
