import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import { FLEET, hold, HOUR, install, refresh, SNAP, T, UID } from '../../testing/world.js';

describe('rule 4, hold', () => {
  it('U14 all matching holds are listed, the brand first', () => {
    const holds = [
      hold({ id: 'b', scope: 'device', deviceUid: UID }),
      hold({ id: 'c', scope: 'fleet', fleetId: FLEET, until: T + 2 * HOUR }),
      hold({ id: 'a', snapId: SNAP }),
    ];
    const answer = ask({ holds });
    expect(answer).toMatchObject({
      outcome: 'STAY',
      revision: 6,
      codes: ['HELD_FLEET', 'HELD_DEVICE', 'HELD_BRAND'],
    });
    expect(answer.retryHint).toBe(T + 2 * HOUR);
  });

  it('U14 is half-open: not held at the instant it ends, held at the instant it begins', () => {
    expect(ask({ holds: [hold({ until: T })] }).outcome).toBe('UPDATE');
    expect(ask({ holds: [hold({ until: T + 1 })] }).outcome).toBe('STAY');
    expect(ask({ holds: [hold({ from: T })] }).outcome).toBe('STAY');
    expect(ask({ holds: [hold({ from: T + 1 })] }).outcome).toBe('UPDATE');
  });

  it.each([
    ['of another snap', hold({ snapId: 'other' })],
    ['of another device', hold({ scope: 'device', deviceUid: 'other' })],
    ['of another fleet', hold({ scope: 'fleet', fleetId: 'other' })],
  ])('a hold %s does not bite', (_, row) => {
    expect(ask({ holds: [row] }).outcome).toBe('UPDATE');
  });

  it('does not hinder an install, and holds unscheduled requests too', () => {
    expect(ask({ holds: [hold()] }, install())).toMatchObject({ outcome: 'UPDATE', revision: 7 });
    expect(ask({ holds: [hold()] }, refresh(6, { isScheduled: false }))).toMatchObject({
      outcome: 'STAY',
      codes: ['HELD_BRAND'],
    });
  });
});
