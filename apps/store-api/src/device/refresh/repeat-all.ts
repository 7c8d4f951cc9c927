import type { PolicySnapshot } from '#libs/update-control';
import { repeat, type RefreshResult } from './to-refresh-result.js';

type Loose = Readonly<Record<string, unknown>>;

/** A poll of plain refreshes with what answers it when it is shed. */
export interface Repeats {
  readonly results: readonly RefreshResult[];
  readonly snapIds: readonly string[];
}

/**
 * "Nothing new" for a poll that has only refreshes of installed snaps; null for any other, which is never shed whole:
 * installs, assertion fetches, an explicit revision, wanted resources (update-control.md 3.4). It reads no more of the body
 * than it repeats, because under load the reading is what costs; what it cannot read goes the usual way, to be refused there.
 */
export function repeatAll(body: unknown): Repeats | null {
  if (!isLoose(body) || !Array.isArray(body['actions']) || !Array.isArray(body['context']))
    return null;
  if (Array.isArray(body['fields']) && body['fields'].includes('resources')) return null;
  const installed = new Map<unknown, Loose>();
  for (const snap of body['context'] as unknown[])
    if (isLoose(snap)) installed.set(snap['instance-key'], snap);
  const results: RefreshResult[] = [];
  const snapIds: string[] = [];
  for (const action of body['actions'] as unknown[]) {
    const own = isPlainRefresh(action) ? installed.get(action['instance-key']) : undefined;
    if (!own || !isInstalled(own)) return null;
    results.push(repeat(own['instance-key'], own.revision, own['snap-id']));
    snapIds.push(own['snap-id']);
  }
  return results.length > 0 ? { results, snapIds } : null;
}

const critical = new WeakMap<PolicySnapshot, ReadonlySet<string>>();

/** Whether one of the snaps has a rollout that is not to be kept from anybody. */
export function hasCritical(policy: PolicySnapshot, snapIds: readonly string[]): boolean {
  let known = critical.get(policy);
  if (!known) critical.set(policy, (known = criticalSnaps(policy)));
  return known.size > 0 && snapIds.some((snapId) => known.has(snapId));
}

function criticalSnaps(policy: PolicySnapshot): ReadonlySet<string> {
  const snaps = Object.values(policy.snaps).filter(({ lanes }) =>
    Object.values(lanes).some(({ rollouts }) =>
      Object.values(rollouts).some(({ isCritical }) => isCritical),
    ),
  );
  return new Set(snaps.map(({ snapId }) => snapId));
}

function isLoose(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null;
}

function isPlainRefresh(action: unknown): action is Loose {
  if (!isLoose(action) || action['action'] !== 'refresh') return false;
  return action['revision'] === undefined || action['revision'] === null;
}

interface Installed {
  readonly 'instance-key': string;
  readonly 'snap-id': string;
  readonly revision: number;
}

function isInstalled(snap: Loose): snap is Loose & Installed {
  return (
    isWord(snap['instance-key']) && isWord(snap['snap-id']) && Number.isInteger(snap['revision'])
  );
}

const isWord = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value.length <= 200;
