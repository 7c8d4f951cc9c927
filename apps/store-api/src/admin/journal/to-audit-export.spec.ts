import { describe, expect, it } from 'vitest';
import type { AuditRow } from '#libs/database';
import { csvCell, toCsv } from './to-audit-export.js';

describe('a cell for spreadsheets', () => {
  it.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ['two\r\nlines', '"two\r\nlines"'],
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['\rx', `"'\rx"`],
    ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
  ])('U100 %j is %j', (text, cell) => {
    expect(csvCell(text)).toBe(cell);
  });
});

describe('the export for spreadsheets', () => {
  const FORMULA = '=HYPERLINK("http://x","y")';
  const row: AuditRow = {
    ...{
      brandId: 'acme',
      seq: 1,
      at: new Date('2026-11-21T10:06Z'),
      actor: FORMULA,
      action: FORMULA,
    },
    ...{ subject: FORMULA, reason: FORMULA, detail: { said: FORMULA }, prevHash: '0', hash: '1' },
  };

  it('U100 has a line per row, and no cell that a spreadsheet would run', async () => {
    const rows = (async function* () {
      yield await Promise.resolve(row);
    })();
    let text = '';
    for await (const line of toCsv(rows)) text += line;
    const harmless = `"'=HYPERLINK(""http://x"",""y"")"`;
    const detail = JSON.stringify({ said: FORMULA }).replaceAll('"', '""');
    expect(text.split('\r\n')).toEqual([
      'seq,at,actor,action,subject,reason,detail,prevHash,hash',
      `1,2026-11-21T10:06:00.000Z,${Array(4).fill(harmless).join(',')},"${detail}",0,1`,
      '',
    ]);
  });
});
