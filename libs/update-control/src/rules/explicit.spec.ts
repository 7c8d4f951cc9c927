import { describe, expect, it } from 'vitest';
import { ask } from '../../testing/ask.js';
import { IN, install, log, OUT, refresh, revision, rollout, wave } from '../../testing/world.js';

describe('rule 5, explicit', () => {
  it('serves what was ever released in a lane, also an older one', () => {
    expect(ask({}, refresh(7, { revision: 5 }))).toMatchObject({
      outcome: 'UPDATE',
      revision: 5,
      codes: ['EXPLICIT'],
    });
    expect(ask({}, install({ revision: 5 }))).toMatchObject({ outcome: 'UPDATE', revision: 5 });
    expect(ask({}, refresh(7, { revision: 7 }))).toMatchObject({ outcome: 'STAY', revision: 7 });
  });

  it('does not serve what was never released, withdrawn, or is only a rollout of others', () => {
    expect(ask({}, refresh(7, { revision: 4 }))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['NO_SUCH_REVISION'],
    });
    expect(ask({}, refresh(7, { revision: 400 }))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['NO_SUCH_REVISION'],
    });
    const revisions = [revision(5, { isYanked: true }), revision(6), revision(7), revision(8)];
    expect(ask({ revisions }, refresh(7, { revision: 5 }))).toMatchObject({
      outcome: 'NOT_FOUND',
      codes: ['YANKED'],
    });
    const laneEvents = log([7, { kind: 'rollout', revision: 8 }]);
    const rollouts = (threshold: number) => [rollout(8, { waves: [wave(threshold)] })];
    expect(ask({ laneEvents, rollouts: rollouts(OUT) }, refresh(7, { revision: 8 }))).toMatchObject(
      { outcome: 'NOT_FOUND' },
    );
    expect(ask({ laneEvents, rollouts: rollouts(IN) }, refresh(7, { revision: 8 }))).toMatchObject({
      outcome: 'UPDATE',
      revision: 8,
    });
  });
});
