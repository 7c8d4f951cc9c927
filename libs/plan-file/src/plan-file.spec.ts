import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { durationSeconds, durationText } from './duration.js';
import {
  PlanFileError,
  planFileJsonSchema,
  readPlanFile,
  toRolloutInput,
  type PlanFileProblem,
} from './index.js';

const docs = join(import.meta.dirname, '../../../docs');
const sample = readFileSync(join(docs, 'samples/rollout-plan.yaml'), 'utf8');
const ids = { fleetId: 'f1', supersedes: undefined, inheritSaltFrom: undefined };

function problemsOf(text: string): readonly PlanFileProblem[] {
  try {
    readPlanFile(text);
  } catch (error) {
    if (error instanceof PlanFileError) return error.problems;
    throw error;
  }
  return [];
}

describe('a plan file', () => {
  it('becomes what the store is asked for', () => {
    expect(toRolloutInput(readPlanFile(sample).plan, ids)).toEqual({
      ...ids,
      title: 'Dashboard 42, the Berlin lab first',
      snap: 'acme-dashboard',
      channel: 'stable',
      revision: 42,
      waves: [
        { name: 'lab', selector: { fact: 'tag:site', equals: 'berlin-lab' }, soakSeconds: 14_400 },
        { percent: 1, minCount: 5, soakSeconds: 86_400 },
        { percent: 10, devicesPerHour: 5000, soakSeconds: 86_400 },
        { percent: 100, devicesPerHour: 5000 },
      ],
      schedule: {
        windows: [
          { days: [1, 2, 3, 4, 5, 6, 7], from: '22:00', to: '04:00', lastOfferBeforeMinutes: 30 },
        ],
        freezes: [
          { from: '2026-12-20T00:00', until: '2027-01-04T06:00', reason: 'year-end freeze' },
        ],
      },
      onFail: 'pause',
      promote: 'fleet',
    });
  });

  it('has one revision for all architectures, or one for each', () => {
    const { plan } = readPlanFile(
      'title: t\nfleet: f\nsnap: s\nchannel: stable\nrevision: {amd64: 3, arm64: 4}\ncritical: true\nlatestStart: 2h\n' +
        'schedule: {windows: [{days: [sat, sun], from: "06:00", to: "12:00"}]}\nwaves: [{percent: 100, manual: true, deadline: 1d}]',
    );
    expect(toRolloutInput(plan, { ...ids, supersedes: 'r1' })).toMatchObject({
      revisions: { amd64: 3, arm64: 4 },
      supersedes: 'r1',
      isCritical: true,
      latestStartSeconds: 7_200,
      schedule: { windows: [{ days: [6, 7] }], freezes: [] },
      waves: [{ percent: 100, isManual: true, deadlineSeconds: 86_400 }],
    });
  });

  it('says of every fault where it stands', () => {
    const text = `title: Dashboard
snap: acme-dashboard
chanel: stable
revision: many
waves:
  - percent: 1
    soak: a while
  - percent: 200
  - selector: {fakt: model}
schedule:
  windows: [{from: "25:00", to: "04:00"}]
`;
    expect(
      problemsOf(text).map(({ path, line, column, message }) => [path, line, column, message]),
    ).toEqual([
      ['fleet', 1, 1, 'cannot do without it'],
      ['revision', 4, 1, 'cannot read the revision: write 42, or {amd64: 42, arm64: 43}'],
      ['waves[0].soak', 7, 5, 'cannot read the duration: write it as 30m, 24h, 7d or 1h30m'],
      ['waves[1].percent', 8, 5, expect.stringMatching(/^cannot take it: .*<=100/)],
      ['waves[2].selector', 9, 5, expect.stringContaining('cannot read the selector')],
      ['schedule.windows[0].from', 11, 14, 'cannot read the time of day: write it as "22:00"'],
      ['chanel', 3, 1, 'cannot tell what this means: there is no such member'],
    ]);
  });

  it.each([
    ['a tab', 'title: t\nwaves:\n\t- percent: 1\n', 3],
    ['a key twice', 'title: t\ntitle: u\nfleet: f\n', 2],
    ['an open bracket', 'title: t\nwaves: [\n', 3],
  ])('tells the line of %s, which is no YAML', (_, text, line) => {
    expect(problemsOf(text)[0]).toMatchObject({ line });
  });

  it('is no list, no text and not empty', () => {
    for (const text of ['', '- a\n', 'hello\n'])
      expect(problemsOf(text)[0]).toMatchObject({ line: 1, column: 1 });
  });

  it.each([
    ['title', 'title', 'title:'],
    ['fleetId', 'fleet', 'fleet:'],
    ['fleet.predicate.all[0]', 'fleet', 'fleet:'],
    ['target.channel', 'channel', 'channel:'],
    ['target', 'snap', 'snap:'],
    ['target.revisions.arm64', 'revision.arm64', 'revision: 42'],
    ['waves[1].size.percent', 'waves[1].percent', 'percent: 1\n'],
    ['waves[0].soakMs', 'waves[0].soak', 'soak: 4h'],
    ['waves[3].deadlineMs', 'waves[3].deadline', 'percent: 100'],
    ['schedule.freezes[0].until', 'schedule.freezes[0].until', 'until: 2027'],
  ])('finds what the store calls %s', (path, inFile, words) => {
    const before = sample.slice(0, sample.indexOf(words)).split('\n');
    expect(readPlanFile(sample).locate({ path, message: 'cannot' })).toEqual({
      path: inFile,
      message: 'cannot',
      line: before.length,
      column: (before.at(-1)?.length ?? 0) + 1,
    });
  });

  it('has a published JSON schema that is the one of the code', () => {
    const published: unknown = JSON.parse(
      readFileSync(join(docs, 'rollout-plan.schema.json'), 'utf8'),
    );
    expect(published, 'npm run api:write writes it').toEqual(planFileJsonSchema());
  });
});

describe('a duration', () => {
  it.each([
    ['30s', 30],
    ['1h30m', 5_400],
    ['7d', 604_800],
    ['0s', 0],
  ])('%s has %i seconds', (text, seconds) => {
    expect(durationSeconds(text)).toBe(seconds);
    expect(durationText(seconds)).toBe(text);
  });
});
