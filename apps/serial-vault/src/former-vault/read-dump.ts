import { VaultError } from '../administration/vault-error.js';
import { isTaken, LEFT_TABLES, TAKEN_TABLES } from './former-tables.js';

/** A row of the former vault; `values` is empty for tables that stay behind. */
export interface DumpRow {
  readonly table: string;
  /** In the file, from 1. */
  readonly line: number;
  readonly values: Readonly<Record<string, string | null>>;
}

interface Block {
  readonly table: string;
  readonly columns: readonly string[];
}

const BEGIN = /^COPY (?:"?\w+"?\.)?"?(\w+)"? \(([^)]*)\) FROM stdin;$/;
const END_OF_BLOCK = '\\.';
const END_OF_DUMP = '-- PostgreSQL database dump complete';
const HOW = 'make one with pg_dump --format=plain --data-only';

/** Nothing of the dump is taken; says where it is wrong. */
export function dumpError(line: number, table: string, message: string): VaultError {
  const path = `line ${line}${table && `, table ${table}`}`;
  return new VaultError('invalid', 'cannot take the dump: nothing was changed', [
    { path, message },
  ]);
}

/**
 * Rows of what `pg_dump` writes in plain form, in its order; all statements besides COPY are passed over. Throws `dumpError` for
 * what is no whole dump of a former vault.
 */
export async function* readDump(lines: AsyncIterable<string>): AsyncGenerator<DumpRow> {
  let [line, isWhole] = [0, false];
  let block: Block | null = null;
  for await (const text of lines) {
    line += 1;
    if (block === null) {
      refuseOtherForms(line, text);
      isWhole ||= text === END_OF_DUMP;
      block = beginOf(line, text);
    } else if (text === END_OF_BLOCK) block = null;
    else yield rowOf(block, line, text);
  }
  if (block !== null) throw dumpError(line, block.table, 'the dump ends within this table');
  if (!isWhole) throw dumpError(line, '', `the end of the dump is missing: ${HOW}`);
}

function refuseOtherForms(line: number, text: string): void {
  if (line === 1 && text.startsWith('PGDMP'))
    throw dumpError(line, '', `this is an archive of pg_dump: ${HOW}`);
  const [, table] = /^INSERT INTO (?:"?\w+"?\.)?"?(\w+)"?/.exec(text) ?? [];
  if (table !== undefined) throw dumpError(line, table, `holds INSERT statements: ${HOW}`);
}

function beginOf(line: number, text: string): Block | null {
  if (!text.startsWith('COPY ')) return null;
  const [, table = '', list = ''] = BEGIN.exec(text) ?? [];
  const columns = list.split(', ').map((name) => name.replaceAll('"', ''));
  if (!isTaken(table) && !(table in LEFT_TABLES))
    throw dumpError(line, table, 'a former vault has no such table');
  const missing = isTaken(table) && TAKEN_TABLES[table].find((name) => !columns.includes(name));
  if (missing) throw dumpError(line, table, `has no column ${missing}`);
  return { table, columns };
}

function rowOf({ table, columns }: Block, line: number, text: string): DumpRow {
  const fields = text.split('\t');
  if (fields.length !== columns.length)
    throw dumpError(line, table, `has ${fields.length} fields, not ${columns.length}`);
  const values = isTaken(table) ? columns.map((name, at) => [name, valueOf(fields[at])]) : [];
  return { table, line, values: Object.fromEntries(values) as DumpRow['values'] };
}

/** The escapes that COPY writes (Postgres, "COPY", text format). */
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const valueOf = (field = ''): string | null =>
  field === '\\N'
    ? null
    : field.replace(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter);
