import type { HeaderMap } from '../headers.js';
import { isInstanceName, parseChannel } from '../names.js';
import {
  badNumber,
  breaksRule,
  mapList,
  parseInteger,
  checkPositive,
  positiveInteger,
  requiredText,
  textList,
} from '../values.js';
import { defineType } from './assertion-type.js';
import { parseDeviceId } from './device-id.js';

export const clusterType = defineType({
  name: 'cluster',
  primaryKey: ['cluster-id', 'sequence'],
  isSequence: true,
  check({ headers }) {
    checkPositive(headers, 'sequence');
    const devices = deviceNumbers(headers);
    const names = new Set<string>();
    const mentioned: bigint[] = [];
    for (const subcluster of mapList(headers, 'subclusters')) {
      const name = requiredText(subcluster, 'name', 'of subcluster');
      mentioned.push(...memberNumbers(subcluster));
      for (const snap of mapList(subcluster, 'snaps')) checkSnap(snap);
      if (names.has(name)) breaksRule(`subcluster "${name}" is listed twice`, 'subclusters');
      names.add(name);
    }
    const unknown = mentioned.find((id) => !devices.has(id));
    if (unknown !== undefined)
      breaksRule(`"subclusters" names the unknown device ${unknown}`, 'subclusters');
  },
});

function deviceNumbers(headers: HeaderMap): ReadonlySet<bigint> {
  const seen = new Set<bigint>();
  for (const device of mapList(headers, 'devices')) {
    const id = positiveInteger(device, 'id', 'of device');
    parseDeviceId(requiredText(device, 'device', `of device ${id}`), 'devices');
    textList(device, 'addresses', undefined, `of device ${id}`);
    if (seen.has(id)) breaksRule(`device ${id} is listed twice`, 'devices');
    seen.add(id);
  }
  return seen;
}

function memberNumbers(subcluster: HeaderMap): bigint[] {
  return textList(subcluster, 'devices').map((text) => {
    const id = parseInteger(text, 'devices', 'of subcluster');
    if (id < 1n) badNumber(`a device of a subcluster must be 1 or more: ${id}`, 'subclusters');
    return id;
  });
}

function checkSnap(snap: HeaderMap): void {
  const state = requiredText(snap, 'state', 'of snap');
  if (!['clustered', 'evacuated', 'removed'].includes(state)) {
    breaksRule('"state" of snap must be clustered, evacuated or removed', 'subclusters');
  }
  if (!isInstanceName(requiredText(snap, 'instance', 'of snap'))) {
    breaksRule('"instance" of snap is not a snap instance name', 'subclusters');
  }
  if (parseChannel(requiredText(snap, 'channel', 'of snap')) === null) {
    breaksRule('"channel" of snap is not a channel', 'subclusters');
  }
}
