import { expect, it } from 'vitest';
import { hashFacts, snapdVersionOf, type ReportedFacts } from './reported-facts.js';

const snap = (revision: number) => ({
  snapId: 'a',
  revision,
  channel: 'latest/stable',
  epoch: { read: [0], write: [0] },
});
const facts = (snaps: ReportedFacts['snaps']): ReportedFacts => ({
  snapdVersion: '2.63',
  architecture: 'amd64',
  snaps,
});

it('knows facts again in whatever order they are reported, and after a way through jsonb', () => {
  const given = facts({ a: snap(1), b: snap(2) });
  expect(hashFacts(facts({ b: snap(2), a: snap(1) }))).toBe(hashFacts(given));
  expect(hashFacts(JSON.parse(JSON.stringify(given)) as ReportedFacts)).toBe(hashFacts(given));
});

it('sees each fact that changes', () => {
  const given = facts({ a: snap(1) });
  const changed: ReportedFacts[] = [
    facts({ a: snap(2) }),
    facts({}),
    facts({ a: { ...snap(1), channel: 'latest/edge' } }),
    facts({ a: { ...snap(1), epoch: { read: [0, 1], write: [1] } } }),
    facts({ a: { ...snap(1), heldBy: ['system'] } }),
    facts({ 'a:key': snap(1) }),
    { ...given, snapdVersion: '2.64' },
    { ...given, architecture: 'arm64' },
  ];
  expect(new Set([given, ...changed].map(hashFacts)).size).toBe(changed.length + 1);
});

it.each([
  ['snapd/2.77 (series 16) ubuntu-core/24 (arm64) linux/6.8.0', '2.77'],
  ['snapd/2.57.6-1+deb12u1+b2 (series 16; classic) snap debian/12 (amd64)', '2.57.6-1+deb12u1+b2'],
  ['Go-http-client/1.1', null],
  [undefined, null],
])('reads the version out of %s', (userAgent, version) => {
  expect(snapdVersionOf(userAgent)).toBe(version);
});
