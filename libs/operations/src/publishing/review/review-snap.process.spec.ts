import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openSnap } from './open-snap.js';
import { reviewComponent } from './review-component.js';
import { reviewSnap } from './review-snap.js';

const SNAPS = fileURLToPath(new URL('../../../../../test/snaps/', import.meta.url));

interface Sample {
  readonly file: string;
  readonly expect: 'accept' | 'review' | 'reject';
  readonly why: string;
  readonly name?: string;
  readonly type?: string;
  readonly version?: string;
  readonly epoch?: string;
}

// Written by make.py beside the samples.
const { snaps } = JSON.parse(readFileSync(`${SNAPS}index.json`, 'utf8')) as { snaps: Sample[] };

/** What each bad file must be refused for, so that none is refused by accident; and its name where it has one. */
const REFUSALS: Readonly<Record<string, readonly [code: string, name?: string]>> = {
  'bad-no-snap-yaml.snap': ['bad-snap-yaml'],
  'bad-yaml-syntax.snap': ['bad-snap-yaml'],
  'bad-yaml-not-a-map.snap': ['bad-snap-yaml'],
  'bad-yaml-bomb.snap': ['bad-snap-yaml'],
  'bad-yaml-huge.snap': ['bad-snap-yaml'],
  'bad-yaml-utf8.snap': ['bad-snap-yaml'],
  'bad-name.snap': ['bad-name', 'Bad_Name'],
  'bad-no-version.snap': ['bad-version', 'acme-dashboard'],
  'bad-type.snap': ['bad-type', 'bad-type'],
  'bad-epoch.snap': ['bad-epoch', 'bad-epoch'],
  'bad-command-escape.snap': ['bad-apps', 'bad-command-escape'],
  'bad-yaml-symlink.snap': ['bad-snap-yaml'],
  'bad-icon-symlink.snap': ['bad-icon', 'bad-icon-symlink'],
  'bad-sparse-bomb.snap': ['too-large', 'bad-sparse-bomb'],
  'bad-gadget-without-yaml.snap': ['bad-gadget-yaml', 'bad-gadget'],
  'bad-truncated.snap': ['not-a-squashfs'],
  'bad-not-squashfs.snap': ['not-a-squashfs'],
  'bad-empty.snap': ['not-a-squashfs'],
  'bad-tables.snap': ['not-a-squashfs'],
};

describe('review of the sample snaps', () => {
  it('meets all 48 of them', () => {
    expect(snaps).toHaveLength(48);
  });

  it.each(snaps.filter((s) => s.expect === 'reject'))('rejects $file: $why', async ({ file }) => {
    const [code, name = 'whatever'] = REFUSALS[file] ?? [];
    const { verdict, problems } = await reviewSnap(SNAPS + file, name);
    expect({ verdict, codes: problems.map((p) => p.code) }).toEqual({
      verdict: 'reject',
      codes: [code],
    });
  });

  it.each(snaps.filter((s) => s.expect !== 'reject' && s.type !== 'component'))(
    'answers $expect to $file',
    async (sample) => {
      const answer = await reviewSnap(SNAPS + sample.file, sample.name ?? '');
      expect(answer).toMatchObject({
        verdict: sample.expect,
        metadata: {
          name: sample.name,
          type: sample.type,
          ...(sample.version !== undefined && { version: sample.version }),
        },
      });
    },
  );

  it('accepts a component of its own snap, and of no other', async () => {
    const file = `${SNAPS}with-component+maps_1.comp`;
    expect(await reviewComponent(file, 'with-component')).toMatchObject({
      verdict: 'accept',
      metadata: { name: 'maps', type: 'standard' },
    });
    expect(await reviewComponent(file, 'other-snap')).toMatchObject({ verdict: 'reject' });
  });
});

describe('reviewSnap', () => {
  it('refuses a sound snap that was uploaded under another name', async () => {
    const { verdict, problems } = await reviewSnap(`${SNAPS}acme-dashboard_1.snap`, 'acme-hub');
    expect(verdict).toBe('reject');
    expect(problems).toEqual([
      {
        code: 'wrong-name',
        message: "the snap calls itself 'acme-dashboard' and was uploaded as 'acme-hub'",
      },
    ]);
  });

  it('reads every field that the store keeps', async () => {
    expect(await reviewSnap(`${SNAPS}acme-dashboard_2.snap`, 'acme-dashboard')).toMatchObject({
      verdict: 'accept',
      problems: [],
      metadata: {
        version: '1.1',
        epoch: { read: [0], write: [0] },
        architectures: ['amd64', 'arm64', 'armhf'],
        confinement: 'strict',
        grade: 'stable',
        base: 'acme-base',
        summary: 'acme-dashboard of ACME',
      },
    });
  });

  it.each([
    ['epochal_1.snap', { read: [0], write: [0] }],
    ['epochal_2.snap', { read: [0, 1], write: [1] }],
    ['epochal_3.snap', { read: [1], write: [1] }],
  ])('reads the epoch of %s', async (file, epoch) => {
    expect(await reviewSnap(SNAPS + file, 'epochal')).toMatchObject({ metadata: { epoch } });
  });

  it('gives up on a file that takes too long', async () => {
    await expect(openSnap(`${SNAPS}acme-dashboard_1.snap`, 1)).rejects.toMatchObject({
      code: 'not-a-squashfs',
      message: expect.stringContaining('too much time or memory') as string,
    });
  });
});
