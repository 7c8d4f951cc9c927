/** One entry of a refresh's context, as far as the reading needs it. */
export interface ContextEntry {
  readonly 'instance-key': string;
  readonly revision: number;
}

export interface AskedAction {
  readonly action: string;
  readonly 'instance-key'?: string;
  readonly key?: string;
}

interface Told {
  readonly result: string;
  readonly 'instance-key'?: string;
  readonly key?: string;
  readonly name?: string;
  readonly snap?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly message: string };
}

/** What snapd makes of an answer. */
export interface SnapdReading {
  /** The whole call fails with this sentence; the rest is then of no account. */
  readonly failure: string | null;
  /** Instance key → revision that it would download. */
  readonly updates: Readonly<Record<string, number>>;
  /** Instance keys with nothing new. */
  readonly current: readonly string[];
  /** Instance key → what the user of a single-snap command reads (F8). */
  readonly errors: Readonly<Record<string, string>>;
}

/** Without these snapd refuses a snap (device-api.md D26). */
const NEEDED = [
  'architectures',
  'confinement',
  'download',
  'epoch',
  'name',
  'snap-id',
  'type',
  'version',
];

/**
 * Reads an answer to `POST /v2/snaps/refresh` as snapd's store client does (update-control.md 2.1, F1–F8; device-api.md 2.1):
 * results are matched by instance key, the installed revision again is "no update", a key that was not asked for fails all.
 */
export function readAsSnapd(
  call: { readonly context: readonly ContextEntry[]; readonly actions: readonly AskedAction[] },
  answer: { readonly results: readonly Told[] },
): SnapdReading {
  const installed = new Map(call.context.map((snap) => [snap['instance-key'], snap.revision]));
  const asked = new Map(
    call.actions.map((one) => [one['instance-key'] ?? `group ${one.key}`, one]),
  );
  const reading = {
    updates: {} as Record<string, number>,
    current: [] as string[],
    errors: {} as Record<string, string>,
  };
  const failed = (failure: string): SnapdReading => ({ ...reading, failure });
  const snaps = call.actions.filter(({ action }) => action !== 'fetch-assertions');
  if (snaps.length === 1 && answer.results.length === 0)
    return failed('unexpectedly empty response from the server (try again later)');
  for (const told of answer.results) {
    const key = told['instance-key'] ?? `group ${told.key}`;
    const action = asked.get(key);
    if (told.result !== 'error' && told.result !== action?.action)
      return failed(`unexpected ${told.result}`);
    if (told.result === 'fetch-assertions') continue;
    if (told.result === 'error') {
      // Without a name an install's error loses its snap.
      if (!action || (action.action !== 'refresh' && !told.name))
        return failed(told.error?.message ?? 'other error');
      reading.errors[key] = told.error?.message ?? '';
      continue;
    }
    const revision = Number(told.snap?.['revision']);
    if (told.result === 'refresh' && installed.get(key) === revision) {
      reading.current.push(key);
      continue;
    }
    const missing = NEEDED.filter((field) => told.snap?.[field] === undefined);
    if (missing.length > 0)
      return failed(`unexpected invalid API result: no ${missing.join(', ')}`);
    reading.updates[key] = revision;
  }
  return { ...reading, failure: null };
}
