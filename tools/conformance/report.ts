import type { Check } from './checklist.js';

export type Status = 'passed' | 'scripted' | 'failed' | 'missing' | 'not-applicable';

export interface CheckState {
  readonly id: string;
  readonly title: string;
  readonly status: Status;
  readonly reason?: string;
}

/** The part of the test runner's JSON report that counts here. */
export interface TestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

const NUMBERS = /^((?:[SDPVU]\d+[,\s]+)*[SDPVU]\d+)\b/;

/** Check → why it does not apply here at all, or what it waits for. */
export interface Notes {
  readonly notApplicable: Readonly<Record<string, string>>;
  readonly waiting: Readonly<Record<string, string>>;
}

/** State of each check: never more than what ran (decisions 28). */
export function conformance(
  checks: readonly Check[],
  report: TestReport,
  notes: Notes,
): CheckState[] {
  const outcomes = collect(report);
  return checks.map(({ id, title, wantsRealClient }) => {
    const seen = outcomes.get(id);
    const state = (status: Status, reason?: string): CheckState => ({
      id,
      title,
      status,
      ...(reason && { reason }),
    });
    if (!seen || seen.ran === 0) {
      const reason = notes.notApplicable[id];
      if (reason) return state('not-applicable', reason);
      return state('missing', seen ? 'its test was skipped' : notes.waiting[id]);
    }
    if (seen.failed > 0) return state('failed', `${seen.failed} of ${seen.ran} tests failed`);
    if (!wantsRealClient) return state('passed');
    return seen.real.size > 0
      ? state('passed', `with the real ${[...seen.real].join(', ')}`)
      : state('scripted', 'with a scripted client');
  });
}

interface Outcome {
  ran: number;
  failed: number;
  /** Real clients that took part: from titles that say `(real …)`. */
  readonly real: Set<string>;
}

function collect(report: TestReport): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  for (const { title, status } of report.testResults.flatMap((file) => file.assertionResults)) {
    for (const id of NUMBERS.exec(title)?.[1]?.split(/[,\s]+/) ?? []) {
      const outcome = outcomes.get(id) ?? { ran: 0, failed: 0, real: new Set<string>() };
      outcomes.set(id, outcome);
      if (status !== 'passed' && status !== 'failed') continue;
      outcome.ran += 1;
      if (status === 'failed') outcome.failed += 1;
      const [, client] = /\(real ([^)]+)\)/.exec(title) ?? [];
      if (client) outcome.real.add(client);
    }
  }
  return outcomes;
}

const escape = (text: string): string => text.replaceAll('|', '\\|');

/** The page a reader sees: one row per check, counts first. */
export function toMarkdown(states: readonly CheckState[]): string {
  const letters = [...new Set(states.map(({ id }) => id.charAt(0)))];
  const statuses: Status[] = ['passed', 'scripted', 'failed', 'missing', 'not-applicable'];
  const count = (letter: string, status: Status): number =>
    states.filter((state) => state.id.startsWith(letter) && state.status === status).length;
  return [
    '# Conformance',
    '',
    'Made by `npm run conformance` from the last test report. S: the mission; D: device API; P: publisher API; V: Serial Vault; U: update control.',
    '`scripted`: passed with a scripted client or a replayed capture where the line asks for a real one.',
    '',
    `| | ${statuses.join(' | ')} |`,
    `|---|${statuses.map(() => '---:').join('|')}|`,
    ...letters.map(
      (letter) => `| ${letter} | ${statuses.map((status) => count(letter, status)).join(' | ')} |`,
    ),
    '',
    '| check | state | line |',
    '|---|---|---|',
    ...states.map(
      ({ id, title, status, reason }) =>
        `| ${id} | ${status}${reason ? ` (${escape(reason)})` : ''} | ${escape(title)} |`,
    ),
    '',
  ].join('\n');
}
