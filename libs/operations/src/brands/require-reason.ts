import { OperationError } from '../operation-error.js';

/** What must be explained to those who read the audit log. Throws `invalid`. */
export function requireReason(reason: string): void {
  if (reason.trim() === '' || reason.length > 500)
    throw new OperationError('invalid', 'cannot do this without a reason of up to 500 characters', {
      paths: ['reason'],
    });
}
