import { describe, expect, it } from 'vitest';
import { readChecklists } from './checklist.js';
import { conformance } from './report.js';

const report = (...tests: [title: string, status: string][]) => ({
  testResults: [{ assertionResults: tests.map(([title, status]) => ({ title, status })) }],
});
const check = (id: string, wantsRealClient = false) => ({ id, title: id, wantsRealClient });

describe('conformance', () => {
  it('finds every numbered line of the pages', async () => {
    const checks = await readChecklists('docs/protocol');
    const count = (letter: string) => checks.filter(({ id }) => id.startsWith(letter)).length;
    expect({ S: count('S'), D: count('D'), P: count('P'), V: count('V'), U: count('U') }).toEqual({
      S: 40,
      D: 90,
      P: 80,
      V: 100,
      U: 112,
    });
  });

  it('says passed only for what ran and passed', () => {
    const states = conformance(
      ['D1', 'D2', 'D3', 'D10', 'D11'].map((id) => check(id)),
      report(
        ['D1 works', 'passed'],
        ['D2 works', 'passed'],
        ['D2 works elsewhere', 'failed'],
        ['D3 waits', 'skipped'],
      ),
      { notApplicable: { D10: 'no such thing here' }, waiting: { D1: 'ran', D11: 'for gates' } },
    );
    expect(states.map(({ status }) => status)).toEqual([
      'passed',
      'failed',
      'missing',
      'not-applicable',
      'missing',
    ]);
    expect(states.map(({ reason }) => reason)).toEqual([
      undefined,
      '1 of 2 tests failed',
      'its test was skipped',
      'no such thing here',
      'for gates',
    ]);
  });

  it('says scripted where the line asks for a real client and none took part', () => {
    const states = conformance(
      [check('P6', true), check('P8', true)],
      report(['P6 shows the code', 'passed'], ['P8 logs in (real snapcraft)', 'passed']),
      { notApplicable: {}, waiting: {} },
    );
    expect(states.map(({ status }) => status)).toEqual(['scripted', 'passed']);
  });
});
