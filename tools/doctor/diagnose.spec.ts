import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { diagnose } from './diagnose.js';

const of = (what: string, env: Record<string, string>) =>
  diagnose(env).find((finding) => finding.what === what);

it('says that there are no deltas without xdelta3, and what helps', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  try {
    expect(of('xdelta3', { PATH: folder })).toMatchObject({
      isThere: false,
      isOptional: true,
      detail: expect.stringMatching(/no deltas are made.*apt-get install xdelta3/) as string,
    });
    writeFileSync(join(folder, 'xdelta3'), '');
    const found = { isThere: true, detail: join(folder, 'xdelta3') };
    expect(of('xdelta3', { PATH: `/nowhere:${folder}` })).toMatchObject(found);
    expect(of('xdelta3', { PATH: '', XDELTA3: '/opt/xdelta3' })?.detail).toBe('/opt/xdelta3');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('shows no password of a given server', () => {
  const env = { DATABASE_URL: 'postgres://me:secret@db.example:5432/store', PATH: '' };
  expect(of('Postgres', env)?.detail).toBe('given, at db.example:5432');
});

it('knows which Node is too old', () => {
  const node = (version: string) => diagnose({}, version)[0]?.isThere;
  expect(['18.20.0', '20.18.3', '20.19.0', '22.1.0'].map(node)).toEqual([false, false, true, true]);
});
