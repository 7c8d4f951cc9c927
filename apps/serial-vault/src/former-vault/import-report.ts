export interface SkippedRows {
  readonly reason: string;
  readonly rows: number;
}

/** What became of one kind of thing in the dump: its rows, or for API keys and devices what came with them. */
export interface ImportedTable {
  readonly table: string;
  readonly read: number;
  readonly taken: number;
  readonly alreadyThere: number;
  readonly skipped: readonly SkippedRows[];
}

export interface ImportReport {
  /** False: a dry run, nothing was changed. */
  readonly applied: boolean;
  readonly tables: readonly ImportedTable[];
  /** What people have to do before all devices register here. */
  readonly toDo: readonly string[];
}

class Tally {
  read = 0;
  taken = 0;
  alreadyThere = 0;
  readonly reasons = new Map<string, number>();
}

/** Counts while the import goes on. */
export class ImportTally {
  private readonly tables = new Map<string, Tally>();
  readonly toDo = new Set<string>();

  count(table: string, what: 'read' | 'taken' | 'alreadyThere', rows = 1): void {
    this.of(table)[what] += rows;
  }

  skip(table: string, reason: string, rows = 1): void {
    const { reasons } = this.of(table);
    if (rows > 0) reasons.set(reason, (reasons.get(reason) ?? 0) + rows);
  }

  /** All rows that were read and came to nothing yet. */
  skipRest(table: string, reason: string): void {
    const { read, taken, alreadyThere, reasons } = this.of(table);
    const skipped = [...reasons.values()].reduce((sum, rows) => sum + rows, 0);
    this.skip(table, reason, read - taken - alreadyThere - skipped);
  }

  report(applied: boolean): ImportReport {
    const tables = [...this.tables].map(([table, { read, taken, alreadyThere, reasons }]) => ({
      table,
      read,
      taken,
      alreadyThere,
      skipped: [...reasons].map(([reason, rows]) => ({ reason, rows })),
    }));
    return { applied, tables, toDo: [...this.toDo] };
  }

  private of(table: string): Tally {
    const tally = this.tables.get(table) ?? new Tally();
    this.tables.set(table, tally);
    return tally;
  }
}
