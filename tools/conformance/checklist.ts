import { readFile } from 'node:fs/promises';

/** One numbered line of an acceptance list. */
export interface Check {
  readonly id: string;
  readonly title: string;
  /** The line asks for a real client: a scripted one proves it only as `scripted` (decisions 28). */
  readonly wantsRealClient: boolean;
}

interface List {
  readonly letter: string;
  readonly page: string;
  /** Heading under which the list stands; null: anywhere in the page. */
  readonly heading: string | null;
  readonly line: RegExp;
  readonly realClient: RegExp | null;
}

const NUMBERED = /^(\d+)\. (.+)$/;

const LISTS: readonly List[] = [
  { letter: 'S', page: 'mission.md', heading: null, line: /^- S(\d+) (.+)$/, realClient: null },
  {
    letter: 'D',
    page: 'device-api.md',
    heading: '## 5 Checklist',
    line: NUMBERED,
    realClient: /stock (snapd|client)|`snap /i,
  },
  {
    letter: 'P',
    page: 'publisher-api.md',
    heading: '## 6. Testable checklist',
    line: NUMBERED,
    realClient: /\bCLI\b|^craft-store:|with 8\.14 and 9\.x/,
  },
  {
    letter: 'V',
    page: 'serial-vault.md',
    heading: '## 22. Checklist',
    line: NUMBERED,
    realClient: /real snapd|unmodified snapd/i,
  },
  {
    letter: 'U',
    page: 'update-control.md',
    heading: '## 5. Acceptance checklist',
    line: NUMBERED,
    realClient: /\(snapd\)/,
  },
];

/** Reads every numbered check from the protocol pages in `folder`. */
export async function readChecklists(folder: string): Promise<Check[]> {
  const all: Check[] = [];
  for (const list of LISTS)
    all.push(...readList(list, await readFile(`${folder}/${list.page}`, 'utf8')));
  return all;
}

function readList(list: List, page: string): Check[] {
  const lines = page.split('\n');
  const start =
    list.heading === null ? 0 : lines.findIndex((line) => line.startsWith(list.heading ?? '')) + 1;
  const rest = lines.slice(start);
  const end = list.heading === null ? rest.length : rest.findIndex((line) => /^## /.test(line));
  const checks: { id: string; text: string }[] = [];
  for (const line of rest.slice(0, end === -1 ? undefined : end)) {
    const found = list.line.exec(line);
    const last = checks.at(-1);
    if (found) checks.push({ id: `${list.letter}${found[1] ?? ''}`, text: found[2] ?? '' });
    else if (last && /^\s{2,}\S/.test(line)) last.text += ` ${line.trim()}`;
  }
  return checks.map(({ id, text }) => ({
    id,
    title: text.replaceAll('**', ''),
    wantsRealClient: list.realClient?.test(text) ?? false,
  }));
}
