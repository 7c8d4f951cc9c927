import { LRUCache } from 'lru-cache';
import type { RevisionDetails } from '#libs/database';
import { asMap, parseYamlMap } from '../publishing/review/yaml-map.js';

/** What a snap puts onto a device: its apps, and the ids by which software centres know them. */
export interface Programs {
  readonly apps: readonly string[];
  /** `common-id` of the apps (AppStream). */
  readonly commonIds: readonly string[];
}

const NONE: Programs = { apps: [], commonIds: [] };
/** A revision never changes, so what is in it is known for ever. */
const known = new LRUCache<string, Programs>({ max: 20_000 });

/** Reads the apps from a revision's snap.yaml. */
export function readPrograms({
  sha3384,
  snapYaml,
}: Pick<RevisionDetails, 'sha3384' | 'snapYaml'>): Programs {
  const before = known.get(sha3384);
  if (before) return before;
  const programs = parse(snapYaml);
  known.set(sha3384, programs);
  return programs;
}

function parse(snapYaml: string): Programs {
  try {
    const yaml = parseYamlMap(Buffer.from(snapYaml), 'snap.yaml', 'bad-snap-yaml');
    const apps = asMap(yaml.get('apps')) ?? new Map<string, unknown>();
    const ids = [...apps.values()].map((app) => asMap(app)?.get('common-id'));
    return {
      apps: [...apps.keys()],
      commonIds: ids.filter((id): id is string => typeof id === 'string' && id !== ''),
    };
  } catch {
    // It was read once before it was accepted; a catalogue goes on without it.
    return NONE;
  }
}
