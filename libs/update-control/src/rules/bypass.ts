import type { Case } from './case.js';

/**
 * Whether a person at the device may pierce waves or windows: only with the brand's leave, and only for a request that nothing but a
 * person makes – one refresh, unscheduled, and not snapd's own repeat of a finished download (F11). "waves" includes windows.
 */
export function mayBypass(c: Case, what: 'windows' | 'waves'): boolean {
  const { request } = c;
  const { localOperatorBypass } = c.poll.policy.settings;
  const isPermitted = localOperatorBypass === 'waves' || localOperatorBypass === what;
  return (
    isPermitted &&
    request.action === 'refresh' &&
    request.isOnlyAction === true &&
    !request.isScheduled &&
    request.isAutomaticRepeat !== true
  );
}
