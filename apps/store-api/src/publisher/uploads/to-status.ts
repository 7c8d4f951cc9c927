import type { Upload } from '#libs/database';

/**
 * P3: `code` is always there, `revision` is a number, and `errors` is not empty whenever the wished release did not happen: the
 * client judges nothing else (publisher-api.md 3.5).
 */
export function toStatus(
  upload: Pick<Upload, 'state' | 'revision' | 'problems'>,
  pageUrl: string,
): object {
  const { state, revision, problems: errors } = upload;
  switch (state) {
    case 'received':
    case 'reviewing':
      return { code: 'being_processed', processed: false, can_release: false };
    case 'accepted':
      return {
        code: 'ready_to_release',
        processed: true,
        can_release: true,
        url: pageUrl,
        revision,
        ...(errors.length > 0 && { errors }),
      };
    case 'manual':
      return { code: 'need_manual_review', processed: true, can_release: false, revision, errors };
    case 'rejected':
      return {
        code: 'processing_error',
        processed: true,
        can_release: false,
        revision: null,
        errors,
      };
  }
}
