/** The numbers of a version, compared part by part. */
export type Version = readonly number[];

/** The leading numbers of "2.63.1+git5"; null when there are none: an unknown version is not held against a device. */
export function parseVersion(text: string | null): Version | null {
  const match = /^[0-9]+(?:\.[0-9]+)*/.exec(text ?? '');
  return match ? match[0].split('.').map(Number) : null;
}

/** The highest `snapd<version>` among the flags of `assumes`; the other flags are for snapd to judge. */
export function minSnapdOf(assumes: readonly string[]): Version | null {
  let highest: Version | null = null;
  for (const flag of assumes) {
    const version = flag.startsWith('snapd') ? parseVersion(flag.slice('snapd'.length)) : null;
    if (version && (!highest || isLower(highest, version))) highest = version;
  }
  return highest;
}

/** Missing parts are 0: 2.61 is not lower than 2.61.0. */
export function isLower(a: Version, b: Version): boolean {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
