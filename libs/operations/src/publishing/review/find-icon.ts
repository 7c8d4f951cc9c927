/** The icon that a snap brings along, as the device API serves it (device-api.md 2.15). */
export interface SnapIcon {
  readonly format: 'png' | 'svg';
  readonly bytes: Buffer;
}

/** Where snapd and desktops look, the better one first. */
export const ICON_FILES = ['meta/gui/icon.png', 'meta/gui/icon.svg'] as const;

/** What snapd takes (device-api.md 2.15). */
const LARGEST_BYTES = 300_000;
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

const LOOKS_LIKE: Readonly<Record<SnapIcon['format'], (bytes: Buffer) => boolean>> = {
  png: (bytes) => bytes.subarray(0, PNG.length).equals(PNG),
  svg: (bytes) => bytes.includes('<svg'),
};

/** What the bytes are; null for what is too large or no icon at all. */
export function iconFormat(bytes: Buffer): SnapIcon['format'] | null {
  if (bytes.length > LARGEST_BYTES) return null;
  return (['png', 'svg'] as const).find((format) => LOOKS_LIKE[format](bytes)) ?? null;
}

/**
 * `files`: what was read from the snap, by path. Null for a snap without one, or with one that is too large or is not what
 * its name says: no reason to refuse the snap.
 */
export function findIcon(files: ReadonlyMap<string, Buffer>): SnapIcon | null {
  for (const path of ICON_FILES) {
    const bytes = files.get(path);
    const format = path.endsWith('png') ? 'png' : 'svg';
    const isFine = bytes && bytes.length <= LARGEST_BYTES && LOOKS_LIKE[format](bytes);
    if (isFine) return { format, bytes };
  }
  return null;
}
