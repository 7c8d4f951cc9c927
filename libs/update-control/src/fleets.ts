import type { ContextSnap, DeviceFacts } from './facts.js';
import type { FleetIndex, FleetPolicy } from './policy/snapshot.js';
import type { FactReader, FactValue } from './predicates.js';
import { evaluate } from './predicates.js';
import type { Dictionary } from './record.js';
import { own } from './record.js';

/** Answers the facts of predicates.ts for a device and the snaps it has. */
export function factReader(device: DeviceFacts, context: Dictionary<ContextSnap>): FactReader {
  return (name) => {
    if (name.startsWith('tag:')) return own(device.tags, name.slice(4));
    const [, snapId = '', what] = name.split(':');
    if (name.startsWith('snap:'))
      return what === 'revision' ? own(context, snapId)?.revision : own(context, snapId)?.channel;
    return plainFact(device, name) ?? undefined;
  };
}

function plainFact(device: DeviceFacts, name: string): FactValue | null | undefined {
  switch (name) {
    case 'uid':
      return device.uid;
    case 'model':
      return device.model;
    case 'serial':
      return device.serial;
    case 'store':
      return device.storeId;
    case 'architecture':
      return device.architecture;
    case 'timezone':
      return device.timezone;
    case 'snapd':
      return device.snapdVersion;
    default:
      return undefined;
  }
}

/** The fleets of a device, highest priority first. An anonymous request belongs to none. */
export function fleetsOf(
  device: DeviceFacts,
  context: Dictionary<ContextSnap>,
  fleets: FleetIndex,
): readonly FleetPolicy[] {
  if (device.uid === null) return [];
  const fact = factReader(device, context);
  const found = new Set<FleetPolicy>();
  for (const id of own(fleets.ofDevice, device.uid) ?? []) add(found, fleets, id);
  const perhaps = new Set(fleets.always);
  for (const name of Object.keys(fleets.byFact)) {
    const value = fact(name);
    if (value === undefined) continue;
    for (const id of own(own(fleets.byFact, name), String(value)) ?? []) perhaps.add(id);
  }
  for (const id of perhaps) {
    const predicate = own(fleets.byId, id)?.predicate;
    if (predicate && evaluate(predicate, fact)) add(found, fleets, id);
  }
  return [...found].sort((a, b) => b.priority - a.priority);
}

function add(found: Set<FleetPolicy>, fleets: FleetIndex, id: string): void {
  const fleet = own(fleets.byId, id);
  if (fleet) found.add(fleet);
}
