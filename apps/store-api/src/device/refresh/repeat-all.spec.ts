import { expect, it } from 'vitest';
import { compilePolicy } from '#libs/update-control';
import * as world from '../../../../../libs/update-control/testing/world.js';
import { hasCritical, repeatAll } from './repeat-all.js';

const context = [
  { 'snap-id': 'one', 'instance-key': 'one', revision: 7 },
  { 'snap-id': 'one', 'instance-key': 'one:a', revision: 8 },
  { 'snap-id': 'two', 'instance-key': 'two', revision: 1 },
];
const refresh = (key: string, more = {}) => ({
  action: 'refresh',
  'instance-key': key,
  'snap-id': key.split(':')[0],
  ...more,
});

it('repeats each snap that is to be refreshed, and only those', () => {
  const body = { context, actions: [refresh('one:a'), refresh('one', { channel: 'latest/edge' })] };
  expect(repeatAll(body)).toEqual({
    results: [
      {
        result: 'refresh',
        'instance-key': 'one:a',
        'snap-id': 'one',
        snap: { 'snap-id': 'one', revision: 8 },
      },
      {
        result: 'refresh',
        'instance-key': 'one',
        'snap-id': 'one',
        snap: { 'snap-id': 'one', revision: 7 },
      },
    ],
    snapIds: ['one', 'one'],
  });
});

it.each([
  [
    'an install',
    {
      context,
      actions: [refresh('one'), { action: 'install', 'instance-key': 'install-1', name: 'x' }],
    },
  ],
  [
    'a download',
    { context, actions: [{ action: 'download', 'instance-key': 'download-1', name: 'x' }] },
  ],
  [
    'an assertion fetch',
    { context, actions: [refresh('one'), { action: 'fetch-assertions', key: 'g' }] },
  ],
  ['an explicit revision', { context, actions: [refresh('one', { revision: 3 })] }],
  ['wanted resources', { context, actions: [refresh('one')], fields: ['resources'] }],
  ['a snap that is not installed', { context, actions: [refresh('three')] }],
  ['no actions', { context, actions: [] }],
  [
    'a revision that is none',
    { context: [{ ...context[0], revision: '7' }], actions: [refresh('one')] },
  ],
  [
    'a key that is none',
    {
      context: [{ ...context[0], 'instance-key': 5 }],
      actions: [{ action: 'refresh', 'instance-key': 5 }],
    },
  ],
  [
    'an id that is none',
    { context: [{ ...context[0], 'snap-id': null }], actions: [refresh('one')] },
  ],
  ['no lists', { context: 'one', actions: 'all' }],
  ['holes', { context: [null], actions: [null] }],
  ['no body', null],
])('leaves %s to the usual way', (_, body) => {
  expect(repeatAll(body)).toBeNull();
});

it('knows the snaps with a critical rollout', () => {
  const policy = (isCritical: boolean) =>
    compilePolicy({ ...world.rows(), rollouts: [world.rollout(9, { isCritical })] });
  expect(hasCritical(policy(true), ['other', world.SNAP])).toBe(true);
  expect(hasCritical(policy(true), ['other'])).toBe(false);
  expect(hasCritical(policy(false), [world.SNAP])).toBe(false);
});
