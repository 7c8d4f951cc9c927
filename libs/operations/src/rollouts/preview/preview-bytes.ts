import { Delta, SnapRevision, type Tx } from '#libs/database';
import type { Move } from '#libs/update-control';

/** What the moves of devices to other revisions of a snap take to download: whole files, and deltas where there are some. */
export async function bytesOf(
  tx: Tx,
  snapId: string,
  moves: readonly Move[],
): Promise<{ bytesFull: number; bytesDelta: number }> {
  const revisions = await tx.findBy(SnapRevision, { snapId });
  const deltas = await tx.findBy(Delta, { snapId, verdict: 'made' });
  const whole = new Map(revisions.map(({ revision, sizeBytes }) => [revision, sizeBytes]));
  const part = new Map(deltas.map((one) => [`${one.source} ${one.target}`, one.sizeBytes]));
  let [bytesFull, bytesDelta] = [0, 0];
  for (const { from, to, devices } of moves) {
    const size = whole.get(to) ?? 0;
    bytesFull += size * devices;
    bytesDelta += (part.get(`${from} ${to}`) ?? size) * devices;
  }
  return { bytesFull, bytesDelta };
}
