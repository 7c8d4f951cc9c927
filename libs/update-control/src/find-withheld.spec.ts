import { describe, expect, it } from 'vitest';
import { withRollout } from '../testing/ask.js';
import {
  device,
  hold,
  HOUR,
  IN,
  install,
  OUT,
  pin,
  refresh,
  rows,
  SNAP,
  stop,
  T,
  wave,
} from '../testing/world.js';
import { compilePolicy } from './policy/compile.js';
import { findWithheld } from './resolve.js';
import type { PolicyRows } from './policy/rows.js';

describe('findWithheld', () => {
  it('names the newer revision behind a hold, stop or window, and only those', () => {
    const find = (over: Partial<PolicyRows>, request = refresh(6)) =>
      findWithheld(device(), request, compilePolicy(rows(over)), T);
    expect(find({ holds: [hold()] })).toBe(7);
    expect(find({ holds: [hold()] }, refresh(7))).toBeNull();
    expect(find(withRollout({ waves: [wave(OUT)] }), refresh(7))).toBeNull();
    expect(find({ ...withRollout({ waves: [wave(IN)] }), stops: [stop()] }, refresh(7))).toBe(8);
    expect(find({ stops: [stop()], pins: [pin(6)] })).toBeNull();
    expect(find({ stops: [stop({ scope: 'revision', snapId: SNAP, revision: 7 })] })).toBe(7);
    expect(
      find({
        settings: {
          schedule: { windows: [{ days: [1], from: '01:00', to: '02:00' }], freezes: [] },
        },
      }),
    ).toBe(7);
    expect(find({ holds: [hold({ until: T + HOUR })] }, install())).toBe(7);
  });
});
