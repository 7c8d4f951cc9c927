import type { Stack } from '#stack';
import { known, type Story } from './story.js';

export interface Row {
  readonly what: string;
  readonly value: string | number;
}

/** The final table, from what the store and the vault themselves say, beside what the devices hold. */
export async function summary(story: Story, stack: Stack): Promise<Row[]> {
  const planner = known(story.planner, 'the planner');
  const brandId = known(story.brandId, 'the brand');
  const figures = await planner.figures(brandId);
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
    { what: 'blobs', value: figures.blobs },
    { what: 'bytes in them', value: figures.blobBytes },
    { what: 'jobs run', value: figures.jobsCompleted },
    { what: 'jobs that failed for good', value: figures.jobsFailed },
    ...stack
      .describe()
      .map(({ service, backend, detail }) => ({ what: service, value: `${backend}: ${detail}` })),
  ];
}
