import { stat } from 'node:fs/promises';
import type { Row, StoryScale } from '../../tools/demo/story/index.js';

const SNAP_FILES = [
  'acme-gadget_1.snap',
  'acme-kernel_1.snap',
  'acme-base_1.snap',
  'acme-dashboard_1.snap',
  'acme-control-plane_1.snap',
  'acme-dashboard_2.snap',
];
const SHARES = [0.05, 0.5, 1];
/** Chapters 6 (the own plan), 7 (six strangers) and 8 (the stolen device): all but the first are kept as refusals. */
const REFUSALS = 7;
/** snap-revision, snap-declaration, ACME's account and the store's account-key; the root's two are there already. */
const CHAIN = 4;

/** What the story must end with, worked out from its scale and the sample snaps alone. */
export async function expectedOutcome(scale: StoryScale, snapsDir: string): Promise<Row[]> {
  const admitted = SHARES.map((share) => Math.ceil(scale.inBerlin * share));
  const sizes = await Promise.all(
    SNAP_FILES.map(async (file) => (await stat(`${snapsDir}/${file}`)).size),
  );
  const downloads = scale.devices + scale.inBerlin;
  return [
    { what: 'devices on revision 1', value: scale.devices - scale.inBerlin },
    ...admitted.map((count, index) => ({
      what: `devices on revision 2, admitted by wave ${index + 1}`,
      value: count - (admitted[index - 1] ?? 0),
    })),
    { what: 'refusals, each as the pages prescribe', value: REFUSALS },
    { what: 'downloads checked', value: downloads },
    { what: 'assertions verified by devices', value: downloads * CHAIN },
    { what: 'blobs', value: SNAP_FILES.length },
    { what: 'bytes in them', value: sizes.reduce((sum, size) => sum + size, 0) },
  ];
}
