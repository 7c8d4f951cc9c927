import { describe, expect, it } from 'vitest';
import type { SnapMemory } from '../facts.js';
import { climb, firstOffer, LADDER, STEPS, type Evidence, type LadderState } from './ladder.js';
import { rememberStep } from './remember.js';
import { sightOf } from './sight.js';
import { darkAfterMs, SEEN_SLOT_MS } from './silence.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SOAK = DAY;

/** A device whose calls come one after the other, six hours apart unless said otherwise. */
class Walk {
  at = 0;
  memory: SnapMemory = {};
  readonly steps: string[] = ['OFFERED'];
  constructor(public state: LadderState = climb(firstOffer(0), OFFER, { at: 0, soakMs: SOAK })) {}

  see(evidence: Evidence, afterMs = 0): this {
    this.at += afterMs;
    const before = this.state;
    this.state = climb(before, evidence, { at: this.at, soakMs: SOAK });
    this.memory = rememberStep(this.memory, 43, before, this.state);
    if (this.steps.at(-1) !== this.state.step) this.steps.push(this.state.step);
    return this;
  }

  /** A scheduled poll on the old revision, which is offered the target again. */
  behind(isHeld = false): this {
    return this.see({ kind: 'behind', revision: 42, isScheduled: true, isHeld }, 6 * HOUR).see({
      kind: 'offered',
      isHeld,
    });
  }
}
const OFFER: Evidence = { kind: 'offered', isHeld: false };
const DOWNLOAD: Evidence = { kind: 'download' };
const ATTEMPT: Evidence = { kind: 'attempt' };
const HINT_BEHIND: Evidence = {
  kind: 'behind',
  revision: 42,
  isScheduled: false,
  isHeld: false,
};
const REREFRESH: Evidence = { kind: 'on-target', isScheduled: false };
const POLL: Evidence = { kind: 'on-target', isScheduled: true };

describe('the ladder', () => {
  it('leads from the offer to the confirmation', () => {
    const walk = new Walk()
      .see(DOWNLOAD)
      .see(ATTEMPT)
      .see(REREFRESH, HOUR)
      .see(POLL, 6 * HOUR);
    expect(walk.state.step).toBe('INSTALLED');
    // The soak is over, but this is a hint: a scheduled poll after the installation has been.
    expect(walk.see(REREFRESH, DAY).state.step).toBe('CONFIRMED');
    expect(walk.steps).toEqual(['OFFERED', 'DOWNLOADING', 'ATTEMPTED', 'INSTALLED', 'CONFIRMED']);
    expect(walk.memory.good).toEqual([43]);
  });

  it('U70 confirmation needs a scheduled poll after the installation, however long ago that is', () => {
    const walk = new Walk().see(REREFRESH).see(REREFRESH, 3 * DAY);
    expect(walk.state.step).toBe('INSTALLED');
    expect(walk.see(POLL, 1).state.step).toBe('CONFIRMED');
  });

  it('comes to INSTALLED without download and assertion, when the file is there already', () => {
    expect(new Walk().see(REREFRESH).steps).toEqual(['OFFERED', 'INSTALLED']);
  });

  it('takes a failed attempt as one failure, and what the client backs off from as none', () => {
    const walk = new Walk().see(DOWNLOAD).see(ATTEMPT);
    expect(walk.see(HINT_BEHIND, HOUR).state.step).toBe('ATTEMPTED');
    walk.behind().behind().behind();
    expect(walk.state).toMatchObject({ step: 'FAILED', failedAttempts: 1 });
    expect(walk.memory.failedAttempts).toEqual({ 43: 1 });
    expect(walk.see(REREFRESH, HOUR).state.step).toBe('INSTALLED');
    expect(walk.memory.failedAttempts).toEqual({});
  });

  it('counts every attempt that an old client makes, until it is re-armed', () => {
    const walk = new Walk();
    for (let round = 0; round < 3; round += 1) walk.see(ATTEMPT).behind();
    expect(walk.memory.failedAttempts).toEqual({ 43: 3 });
    walk.see({ kind: 'rearm' });
    expect(walk.state).toMatchObject({ step: 'OFFERED', failedAttempts: 0, offers: 0 });
    expect(walk.memory.failedAttempts).toEqual({});
  });

  it('finds those that download again and again', () => {
    const walk = new Walk();
    for (let round = 0; round < 3; round += 1) walk.see(DOWNLOAD).see(DOWNLOAD).behind();
    expect(walk.state).toMatchObject({ step: 'LOOPING', downloads: 3 });
    expect(walk.memory.failedAttempts).toEqual({ 43: 3 });
  });

  it('takes an unasked way back as a revert, and one that the store led as none, whoever of its processes did', () => {
    const walk = new Walk().see(REREFRESH).see(HINT_BEHIND, DAY);
    expect(walk.state.step).toBe('REVERTED');
    expect(walk.memory.reverted).toEqual([43]);
    const older = (a: number, b: number): boolean => a < b;
    const seen = { revision: 41, isScheduled: true, isHeld: false, hasSwitched: false };
    const behind = sightOf(43, seen, older);
    expect(behind).toMatchObject({ kind: 'behind', revision: 41 });
    expect(sightOf(43, { ...seen, hasSwitched: true }, older).kind).toBe('elsewhere');
    expect(sightOf(43, { ...seen, revision: 44 }, older).kind).toBe('elsewhere');
    expect(sightOf(43, { ...seen, revision: 43 }, older).kind).toBe('on-target');
    expect(sightOf(43, undefined, older).kind).toBe('gone');
    const led = new Walk().see(REREFRESH).see({ kind: 'led', revision: 41 });
    expect(led.see(behind).state.step).toBe('SUPERSEDED');
    expect(led.memory.reverted).toEqual([]);
    const elsewhere = new Walk().see(REREFRESH).see({ kind: 'led', revision: 40 });
    expect(elsewhere.see(behind).state.step).toBe('REVERTED');
  });

  it('suspects two machines behind one serial when the revision alternates, and forgets the revert', () => {
    const walk = new Walk().see(REREFRESH).see(HINT_BEHIND, HOUR).see(POLL, HOUR);
    expect(walk.state.step).toBe('CLONE_SUSPECT');
    expect(walk.memory.reverted).toEqual([]);
    // Whatever the two say now, it is not counted.
    expect(walk.see(HINT_BEHIND, HOUR).see(POLL, HOUR).state.step).toBe('CLONE_SUSPECT');
    const asked = new Walk().see(REREFRESH).see(HINT_BEHIND, HOUR);
    asked.see({ kind: 'led', revision: 43 }).see(POLL, HOUR);
    expect(asked.state.step).toBe('INSTALLED');
    expect(
      new Walk()
        .see(REREFRESH)
        .see(HINT_BEHIND, HOUR)
        .see(POLL, 2 * DAY).state.step,
    ).toBe('INSTALLED');
  });

  it('leaves held, metered and busy devices alone', () => {
    expect(new Walk().behind(true).state.step).toBe('DEFERRED');
    expect(new Walk().behind(true).behind().state).toMatchObject({ step: 'OFFERED', offers: 1 });
    // Metered: it stopped to poll before anything began.
    expect(new Walk().see({ kind: 'silent' }, 3 * DAY).state.step).toBe('DEFERRED');
    // The app runs: downloaded, and not installed.
    const busy = new Walk().see(DOWNLOAD);
    for (let day = 0; day < 10; day += 1) busy.behind().behind().behind().behind();
    expect(busy.state.step).toBe('DEFERRED');
    for (let day = 0; day < 5; day += 1) busy.behind().behind().behind().behind();
    expect(busy.state.step).toBe('REFUSED');
    // Held while it tries: no failure yet.
    expect(new Walk().see(ATTEMPT).behind(true).state.step).toBe('ATTEMPTED');
  });

  it('warns of those that are offered for a day and never begin', () => {
    const walk = new Walk().behind().behind().behind();
    expect(walk.state.step).toBe('OFFERED');
    expect(walk.behind().state.step).toBe('REFUSED');
    expect(walk.see(DOWNLOAD).state.step).toBe('DOWNLOADING');
  });

  it('takes silence after an attempt or an installation as dark, and the light again', () => {
    expect(new Walk().see(ATTEMPT).see({ kind: 'silent' }).state.step).toBe('DARK');
    const walk = new Walk().see(REREFRESH).see({ kind: 'silent' }, 3 * DAY);
    expect(walk.state.step).toBe('DARK');
    expect(walk.see(POLL, HOUR).state).toMatchObject({ step: 'CONFIRMED', installedAt: 0 });
    const back = new Walk()
      .see(REREFRESH)
      .see({ kind: 'silent' }, 3 * DAY)
      .see(HINT_BEHIND);
    expect(back.state.step).toBe('REVERTED');
    const tried = new Walk().see(ATTEMPT).see({ kind: 'silent' }, 3 * DAY);
    expect(tried.see(HINT_BEHIND).state.step).toBe('ATTEMPTED');
    expect(tried.behind().state).toMatchObject({ step: 'FAILED', failedAttempts: 1 });
  });

  it('says nothing new with the very same value', () => {
    const { state } = new Walk().see(REREFRESH).see(POLL, HOUR);
    for (const evidence of [POLL, REREFRESH, ATTEMPT])
      expect(climb(state, evidence, { at: HOUR + 1, soakMs: SOAK })).toBe(state);
  });

  it('only knows its steps', () => {
    for (const { from, to } of LADDER)
      for (const step of [...from, to]) expect(STEPS).toContain(step);
  });
});

it('a device is dark after three of its own longest gaps, and never before two days', () => {
  expect(darkAfterMs([])).toBe(48 * HOUR + SEEN_SLOT_MS);
  expect(darkAfterMs([6 * HOUR, 30 * HOUR, 7 * HOUR])).toBe(90 * HOUR + SEEN_SLOT_MS);
  const gaps = [...Array.from({ length: 19 }, () => 20 * HOUR), 500 * HOUR];
  expect(darkAfterMs(gaps)).toBe(60 * HOUR + SEEN_SLOT_MS);
});
