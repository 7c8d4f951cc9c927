import type { Stack } from '#stack';
import { known, type Story } from './story.js';

export interface Row {
  readonly what: string;
  readonly value: string | number;
}

/** What must be the same however often processes were killed on the way: the devices', the clients' and the blobs' part. */
export async function outcome(story: Story): Promise<Row[]> {
  const planner = known(story.planner, 'the planner');
  const { blobs, blobBytes } = await planner.figures(known(story.brandId, 'the brand'));
  const onRevision = (revision: number): number =>
    story.devices.filter((device) => device.installedAs('acme-dashboard').revision === revision)
      .length;
  const byWave = [1, 2, 3].map(
    (wave) => [...story.waveOf.values()].filter((one) => one === wave).length,
  );
  return [
    { what: 'devices on revision 1', value: onRevision(1) },
    ...byWave.map((count, index) => ({
      what: `devices on revision 2, admitted by wave ${index + 1}`,
      value: count,
    })),
    { what: 'refusals, each as the pages prescribe', value: story.refusals.length },
    { what: 'downloads checked', value: story.downloads },
    { what: 'assertions verified by devices', value: story.assertionsChecked },
    { what: 'blobs', value: blobs },
    { what: 'bytes in them', value: blobBytes },
  ];
}

/** The final table: the outcome, the jobs, and what carried it all. */
export async function summary(story: Story, stack: Stack): Promise<Row[]> {
  const planner = known(story.planner, 'the planner');
  const { jobsAsked, jobsWaiting } = await planner.figures(known(story.brandId, 'the brand'));
  return [
    ...(await outcome(story)),
    { what: 'jobs run', value: jobsAsked - jobsWaiting },
    ...stack.describe().map(({ service, backend, detail }) => ({
      what: service,
      value: `${backend}: ${detail}`,
    })),
  ];
}
