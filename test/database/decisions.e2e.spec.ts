import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '#stack';

const DECISIONS = 1_000_000;
const SEED = 20261121;

/** A million decisions in a process of its own, on the built code, whose wall clock is that of `zone`. */
async function inProcess(zone: string): Promise<{ digest: string; count: number; zone: string }> {
  const built = pathToFileURL(
    join(projectRoot, 'dist/libs/update-control/testing/decisions-digest.js'),
  );
  const script = `
    const { decisionsDigest } = await import(${JSON.stringify(built.href)});
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    console.log(JSON.stringify({ ...decisionsDigest(${SEED}, ${DECISIONS}), zone: timeZone }));`;
  const env = { ...process.env, TZ: zone };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script],
    { env },
  );
  return JSON.parse(stdout) as { digest: string; count: number; zone: string };
}

// A second processor architecture does not apply here (decisions 29).
it('U10 a million random inputs give byte-identical decisions in two processes and two time zones', async () => {
  const zones = ['Pacific/Apia', 'America/New_York'];

  const [one, two] = await Promise.all([inProcess(zones[0] ?? ''), inProcess(zones[1] ?? '')]);
  expect([one.zone, two.zone]).toEqual(zones);
  expect(one.count).toBeGreaterThanOrEqual(DECISIONS);
  expect({ ...two, zone: '' }).toEqual({ ...one, zone: '' });
}, 240_000);
