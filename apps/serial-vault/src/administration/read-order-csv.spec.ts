import { describe, expect, it } from 'vitest';
import { readOrderCsv } from './read-order-csv.js';

const read = (text: string) =>
  readOrderCsv(text, 'PO-1', (serial) => (serial.startsWith('A') ? null : `no serial: ${serial}`));

describe('the CSV of a production order', () => {
  it('takes columns in any order, quotes, CRLF, a byte order mark and empty lines', () => {
    const { rows, problems } = read(
      '\ufeffBatch, serial,order\r\n"b ""1"", x",A1,PO-2\r\n\r\n,"A2",\r\n',
    );
    expect(problems).toEqual([]);
    expect([...rows]).toEqual([
      [2, { serial: 'A1', order: 'PO-2', batch: 'b "1", x' }],
      [4, { serial: 'A2', order: 'PO-1', batch: '' }],
    ]);
  });

  it('tells each line what is wrong with it', () => {
    const { problems } = read('serial,batch\nA1,x\nB1,x\nA2\nA3,"x\nA1,y\n"A4"z,x');
    expect(problems).toEqual([
      { line: 3, message: 'no serial: B1' },
      { line: 4, message: expect.stringContaining('1 cells') as string },
      { line: 5, message: expect.stringContaining('quotation marks') as string },
      { line: 6, message: 'serial A1 is on line 2 already' },
      { line: 7, message: expect.stringContaining('quotation marks') as string },
    ]);
  });

  it.each(['', 'A1\nA2', 'serial,colour\nA1,red', 'serial,serial\nA1,A2', '"serial'])(
    'needs a first line that names its columns: %j',
    (text) =>
      expect(read(text).problems).toEqual([{ line: 1, message: expect.any(String) as string }]),
  );
});
