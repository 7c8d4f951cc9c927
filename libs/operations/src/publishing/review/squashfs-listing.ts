/** One file of a snap, as the file system's tables name it. */
export interface SnapEntry {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly sizeBytes: number;
  /** Somebody may execute it. */
  readonly isExecutable: boolean;
}

const KINDS: Readonly<Record<string, SnapEntry['kind']>> = { '-': 'file', d: 'folder', l: 'link' };

/**
 * Reads the lines that 7-Zip's `l -slt` prints: blocks of `Name = value` after a line of dashes. Control characters in names
 * are replaced by 7-Zip before printing, so a name cannot pretend to be a line.
 */
export function parseListing(lines: readonly string[]): SnapEntry[] {
  const start = lines.indexOf('----------');
  if (start < 0) return [];
  const entries: SnapEntry[] = [];
  let block: Record<string, string> = {};
  for (const line of [...lines.slice(start + 1), '']) {
    const at = line.indexOf(' = ');
    if (at > 0) block[line.slice(0, at)] = line.slice(at + 3);
    else if (line.endsWith(' =')) block[line.slice(0, -2)] = '';
    else if (line === '' && block['Path'] !== undefined) {
      entries.push(toEntry(block));
      block = {};
    }
  }
  return entries;
}

function toEntry(block: Readonly<Record<string, string>>): SnapEntry {
  const mode = block['Mode'] ?? '';
  return {
    path: block['Path'] ?? '',
    kind: KINDS[mode.charAt(0)] ?? 'other',
    sizeBytes: Number(block['Size'] ?? '') || 0,
    isExecutable: /x/.test(mode.slice(1)),
  };
}
