import { describe, expect, it } from 'vitest';
import { csvCell } from './log-export.js';

describe('a cell', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', '"\'\r=1"'],
    ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
    ['a-b=c', 'a-b=c'],
    ['a,b', '"a,b"'],
    ['a\nb', '"a\nb"'],
    ['', ''],
    [null, ''],
    [-1, '-1'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
  ])('%j becomes %j', (value, cell) => expect(csvCell(value)).toBe(cell));
});
