/** A serial to come, as production announces it (serial-vault.md 6.3). */
export interface OrderedSerial {
  readonly serial: string;
  readonly order: string;
  readonly batch: string;
}

/** What is wrong with one line; the heading is line 1. */
export interface LineProblem {
  readonly line: number;
  readonly message: string;
}

export interface OrderFile {
  /** By line. */
  readonly rows: ReadonlyMap<number, OrderedSerial>;
  readonly problems: readonly LineProblem[];
}

const COLUMNS = ['serial', 'order', 'batch'] as const;
type Column = (typeof COLUMNS)[number];
const isColumn = (name: string): name is Column => COLUMNS.some((column) => column === name);

const CELL = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

/**
 * Reads a production order: RFC 4180, one serial per line, the first line names the columns. What `serials` leaves open
 * of order is `defaultOrder`. `whyNot` judges a serial; each line is told what is wrong with it.
 */
export function readOrderCsv(
  text: string,
  defaultOrder: string,
  whyNot: (serial: string) => string | null,
): OrderFile {
  const rows = new Map<number, OrderedSerial>();
  const problems: LineProblem[] = [];
  const [heading = '', ...lines] = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const columns = cellsOf(heading)?.map((name) => name.trim().toLowerCase()) ?? [];
  const wrong = whyNoHeading(columns);
  if (wrong !== null) return { rows, problems: [{ line: 1, message: wrong }] };
  const lineOf = new Map<string, number>();
  for (const [index, text] of lines.entries()) {
    const line = index + 2;
    if (text.trim() === '') continue;
    const row = toRow(columns, text, defaultOrder);
    const message =
      typeof row === 'string' ? row : (whyNot(row.serial) ?? whyTwice(row.serial, lineOf));
    if (message !== null) problems.push({ line, message });
    if (typeof row === 'string') continue;
    lineOf.set(row.serial, lineOf.get(row.serial) ?? line);
    rows.set(line, row);
  }
  return { rows, problems };
}

function whyNoHeading(columns: readonly string[]): string | null {
  if (!columns.includes('serial'))
    return `cannot find the column "serial": the first line names the columns, of ${COLUMNS.join(', ')}`;
  const unknown = columns.find((name) => !isColumn(name));
  if (unknown !== undefined) return `cannot take the column ${JSON.stringify(unknown)}`;
  return new Set(columns).size === columns.length ? null : 'cannot take two columns of one name';
}

function toRow(
  columns: readonly string[],
  text: string,
  defaultOrder: string,
): OrderedSerial | string {
  const cells = cellsOf(text);
  if (cells === null) return 'cannot read the line: its quotation marks do not match';
  if (cells.length !== columns.length)
    return `cannot read the line: it has ${cells.length} cells, the first line has ${columns.length}`;
  const cell = (name: Column): string => cells[columns.indexOf(name)]?.trim() ?? '';
  return { serial: cell('serial'), order: cell('order') || defaultOrder, batch: cell('batch') };
}

function whyTwice(serial: string, lineOf: ReadonlyMap<string, number>): string | null {
  const line = lineOf.get(serial);
  return line === undefined ? null : `serial ${serial} is on line ${line} already`;
}

/** The cells of one line, or null when its quotation marks do not match. */
function cellsOf(line: string): string[] | null {
  const cells: string[] = [];
  CELL.lastIndex = 0;
  for (;;) {
    const match = CELL.exec(line);
    if (match === null) return null;
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '') return cells;
  }
}
