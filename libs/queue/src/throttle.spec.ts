import { describe, expect, it } from 'vitest';
import { throttledReporter } from './throttle.js';

describe('errors of a connection', () => {
  it('are told once in a while each, message only, with the number left out', () => {
    const told: string[] = [];
    let now = 0;
    const report = throttledReporter(
      (message) => told.push(message),
      1_000,
      () => now,
    );
    for (let n = 0; n < 500; n++) report(new Error('full\nwith a long script'));
    report(new Error('other'));
    expect(told).toEqual(['full', 'other']);
    now = 1_000;
    report(new Error('full'));
    expect(told.at(-1)).toBe('full (and 499 more times)');
  });

  it('without a message are told by their code', () => {
    const told: string[] = [];
    const report = throttledReporter((message) => told.push(message));
    report(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }));
    report('text');
    expect(told).toEqual(['ECONNREFUSED', 'text']);
  });
});
