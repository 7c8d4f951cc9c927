import { expect, it } from 'vitest';
import {
  nextDeviceCursor,
  nextSeqCursor,
  pageSize,
  readDeviceCursor,
  readSeqCursor,
} from './paging.js';

it('cursors lead from page to page and end', () => {
  expect(readSeqCursor(nextSeqCursor([{ seq: 9 }, { seq: 8 }], 2) ?? undefined)).toBe(8);
  expect(nextSeqCursor([{ seq: 9 }], 2)).toBeNull();
  expect(nextSeqCursor([{ seq: 2 }, { seq: 1 }], 2)).toBeNull();
  const last = { model: 'acme', serial: 'Ä-1' };
  expect(readDeviceCursor(nextDeviceCursor([last], 1) ?? undefined)).toEqual(last);
  expect(nextDeviceCursor([last], 2)).toBeNull();
});

it('refuses cursors and sizes that it did not give', () => {
  for (const cursor of ['', 'x', '-1', '1'.repeat(16)])
    expect(() => readSeqCursor(cursor)).toThrow('cursor');
  for (const cursor of ['', 'YQ', 'YS9iL2M'])
    expect(() => readDeviceCursor(cursor)).toThrow('cursor');
  for (const size of [0, -1, 501]) expect(() => pageSize(size)).toThrow('1 to 500');
});
