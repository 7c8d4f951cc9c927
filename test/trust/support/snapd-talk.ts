import type { DeviceCall, StoreAnswer } from './listening-proxy.js';

interface Keyed {
  readonly 'instance-key': string;
}
interface Polled {
  readonly context: readonly (Keyed & { readonly revision: number })[];
  readonly actions: readonly Keyed[];
}
interface Named {
  readonly revision: number;
  readonly download?: { readonly url: string };
}
interface Told {
  readonly results: readonly (Keyed & { readonly snap?: Named })[];
}

export const isPoll = ({ path }: DeviceCall): boolean => path === '/v2/snaps/refresh';
export const isScheduled = ({ headers }: DeviceCall): boolean =>
  headers['snap-refresh-reason'] === 'scheduled';
/** It has the bytes of a revision, and asks whether they are what the store says they are. */
export const isValidation = ({ path }: DeviceCall): boolean =>
  path.startsWith('/v2/assertions/snap-revision/');

/** The revision of a snap that the device had when it asked about it, and the one that it was told; undefined: this is about others. */
export function talkOf(
  snapId: string,
  call: DeviceCall,
  answer: StoreAnswer,
): { had: number; given: number | undefined } | undefined {
  if (!isPoll(call) || answer.status !== 200) return undefined;
  const { context, actions } = JSON.parse(call.body.toString()) as Polled;
  const ofSnap = (one: Keyed): boolean => one['instance-key'] === snapId;
  const had = context.find(ofSnap)?.revision;
  if (had === undefined || !actions.some(ofSnap)) return undefined;
  return { had, given: namedIn(snapId, answer)?.revision };
}

/** Where the revision of a snap that an answer names is to be had; undefined when it names none. */
export function offerIn(snapId: string, answer: StoreAnswer): string | undefined {
  return answer.status === 200 ? namedIn(snapId, answer)?.download?.url : undefined;
}

function namedIn(snapId: string, { body }: StoreAnswer): Named | undefined {
  const { results } = JSON.parse(body.toString()) as Told;
  return results.find((one) => one['instance-key'] === snapId)?.snap;
}
