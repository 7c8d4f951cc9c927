import { describe, expect, it } from 'vitest';
import { linesOf } from './lines-of.js';
import { readDump, type DumpRow } from './read-dump.js';

const END = '-- PostgreSQL database dump complete\n';
const ACCOUNT = 'COPY public.account (id, authority_id, assertion, resellerapi) FROM stdin;\n';

async function rowsOf(text: string, size = text.length): Promise<DumpRow[]> {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const rows: DumpRow[] = [];
  for await (const row of readDump(linesOf(chunks()))) rows.push(row);
  return rows;
}

describe('a dump of a former vault', () => {
  it('is read however it is cut, with every escape of COPY', async () => {
    const assertion = 'a\\tb\\\\n\\nü\u2028€\\r\\b\\f\\vend';
    const text = `CREATE TABLE public.account (\n);\n${ACCOUNT}1\tacme\t${assertion}\tf\n2\t\\\\N\t\\N\tt\n\\.\n${END}`;
    const rows = await rowsOf(text, 3);
    expect(rows.map(({ line }) => line)).toEqual([4, 5]);
    expect(rows.map(({ values }) => [values.authority_id, values.assertion])).toEqual([
      ['acme', 'a\tb\\n\nü\u2028€\r\b\f\vend'],
      ['\\N', null],
    ]);
  });

  it.each([
    ['cut within a table', `${ACCOUNT}1\tacme\t\tf\n`, 'line 2, table account', 'ends within'],
    ['cut between tables', `${ACCOUNT}\\.\n`, 'line 2', 'end of the dump'],
    ['a row that is cut', `${ACCOUNT}1\tacme\n\\.\n${END}`, 'line 2, table account', '2 fields'],
    [
      'another table',
      `COPY public.pets (id) FROM stdin;\n\\.\n${END}`,
      'line 1, table pets',
      'no such',
    ],
    [
      'an older table',
      `COPY account (id) FROM stdin;\n\\.\n${END}`,
      'line 1, table account',
      'authority_id',
    ],
    [
      'INSERT',
      `INSERT INTO public.model VALUES (1);\n${END}`,
      'line 1, table model',
      '--data-only',
    ],
    ['an archive', 'PGDMP\u0001', 'line 1', 'archive'],
  ])('%s is refused where it stands', async (_, text, path, message) => {
    await expect(rowsOf(text)).rejects.toMatchObject({
      problems: [{ path, message: expect.stringContaining(message) as string }],
    });
  });
});
