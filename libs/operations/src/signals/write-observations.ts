import {
  lockSignals,
  recordEvent,
  writeRolloutStates,
  writeSnapMemories,
  type RolloutStateRow,
  type SnapMemoryRow,
  type Tx,
} from '#libs/database';
import type { LadderState } from '#libs/update-control';
import type { LadderPlace } from '../devices/device-directory.js';
import { takeIn, type Known, type Observation } from './observation.js';

/**
 * Takes observations in, in their order, on what is stored of the devices, under lock: several processes may have heard the same
 * device. Those of devices that are gone are dropped.
 */
export async function writeObservations(tx: Tx, batch: readonly Observation[]): Promise<void> {
  const rolloutOf = ({ about }: Observation): string[] =>
    'rolloutId' in about ? [about.rolloutId] : [];
  const uids = [...new Set(batch.map(({ deviceUid }) => deviceUid))];
  const stored = await lockSignals(tx, uids, [...new Set(batch.flatMap(rolloutOf))]);
  const states = new Map(stored.states.map((row) => [stateKey(row), row]));
  const memories = new Map(stored.memories.map((row) => [memoryKey(row), row]));
  const changed = { states: new Set<string>(), memories: new Set<string>() };
  const clones: Observation[] = [];
  for (const one of batch.filter(({ deviceUid }) => stored.devices.has(deviceUid))) {
    const { deviceUid, instanceKey, snapId, brandId, at, about } = one;
    const mine = { deviceUid, instanceKey, brandId, snapId };
    const rolloutId = 'rolloutId' in about ? about.rolloutId : '';
    const keys = { state: stateKey({ ...mine, rolloutId }), memory: memoryKey(mine) };
    const before: Known = {
      place: toPlace(states.get(keys.state)),
      memory: memories.get(keys.memory)?.memory ?? {},
    };
    const { place, memory } = takeIn(before, one);
    if (place !== undefined && place !== before.place) {
      const { revision, state } = place;
      states.set(keys.state, { ...mine, rolloutId, revision, step: state.step, state });
      changed.states.add(keys.state);
      const isNewClone = state.step === 'CLONE_SUSPECT' && before.place?.state.step !== state.step;
      if (isNewClone) clones.push(one);
    }
    if (memory === before.memory) continue;
    const hasReverted = (memory.reverted?.length ?? 0) > (before.memory.reverted?.length ?? 0);
    const revertedAt = hasReverted
      ? new Date(at).toISOString()
      : (memories.get(keys.memory)?.revertedAt ?? null);
    memories.set(keys.memory, { ...mine, memory, revertedAt });
    changed.memories.add(keys.memory);
  }
  await writeRolloutStates(tx, valuesOf(states, changed.states));
  await writeSnapMemories(tx, valuesOf(memories, changed.memories));
  for (const { brandId, deviceUid, about } of clones)
    await recordEvent(tx, {
      brandId,
      kind: 'clone-suspect',
      subject: `device:${deviceUid}`,
      ...('rolloutId' in about && { rolloutId: about.rolloutId }),
      detail: { deviceUid },
    });
}

const stateKey = ({
  rolloutId,
  deviceUid,
  instanceKey,
}: Pick<RolloutStateRow, 'rolloutId' | 'deviceUid' | 'instanceKey'>): string =>
  `${rolloutId} ${deviceUid} ${instanceKey}`;

const memoryKey = ({
  deviceUid,
  instanceKey,
}: Pick<SnapMemoryRow, 'deviceUid' | 'instanceKey'>): string => `${deviceUid} ${instanceKey}`;

function toPlace(row: RolloutStateRow | undefined): LadderPlace | undefined {
  if (row === undefined) return undefined;
  const { rolloutId, instanceKey, snapId, revision } = row;
  return { rolloutId, instanceKey, snapId, revision, state: row.state as LadderState };
}

const valuesOf = <T>(map: ReadonlyMap<string, T>, keys: ReadonlySet<string>): T[] =>
  [...keys].sort().flatMap((key) => map.get(key) ?? []);
