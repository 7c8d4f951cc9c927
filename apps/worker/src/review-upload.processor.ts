import { ReviewService, type Resources } from '#libs/operations';
import { handle, jobs, type JobHandler } from '#libs/queue';

/** Reviews an upload; the last attempt that fails tells its publisher so, who would poll for ever otherwise. */
export function reviewUploadProcessor(resources: Resources): JobHandler {
  const reviews = new ReviewService(resources);
  return handle(jobs.reviewUpload, async ({ brandId, uploadId }, { isLastAttempt }) => {
    try {
      await reviews.review(brandId, uploadId);
    } catch (error) {
      if (isLastAttempt) await reviews.giveUp(brandId, uploadId);
      throw error;
    }
  });
}
