import { describe, expect, it } from 'vitest';
import type { HeaderMap } from '#libs/assertions';
import { describeChanges } from './describe-changes.js';

const NAME = { 'snap-name': 'hub' };

describe('describeChanges', () => {
  it.each<[string, HeaderMap, HeaderMap, string[]]>([
    [
      'nothing',
      { plugs: { a: { 'allow-connection': 'true', 'deny-installation': 'false' } } },
      { plugs: { a: { 'deny-installation': 'false', 'allow-connection': 'true' } } },
      [],
    ],
    [
      'a first rule',
      {},
      { plugs: { camera: { 'allow-auto-connection': 'true' } } },
      [
        'Plugs of "camera": connecting automatically is now allowed; before, as the base declaration says.',
      ],
    ],
    [
      'a rule with alternatives',
      { slots: { mir: { 'allow-connection': 'false' } } },
      {
        slots: {
          mir: {
            'allow-connection': [
              { 'plug-snap-id': ['one', 'two'], 'on-store': ['acme'] },
              { 'plug-attributes': { content: 'x' } },
            ],
          },
        },
      },
      [
        'Slots of "mir": connecting by hand is now allowed if plug snap id is one of one, two and on store is acme, or plug attributes match {"content":"x"}; before, not allowed.',
      ],
    ],
    [
      'a refusal that is taken back',
      { plugs: { snapd: { 'deny-installation': { 'on-classic': 'true' } } } },
      {},
      [
        'Plugs of "snapd": installing the snap is now not refused; before, refused if on classic is true.',
      ],
    ],
    [
      'one word for the whole rule',
      {},
      { plugs: { home: 'true' } },
      [
        'Plugs of "home": connecting automatically is now allowed; before, as the base declaration says.',
        'Plugs of "home": connecting by hand is now allowed; before, as the base declaration says.',
        'Plugs of "home": installing the snap is now allowed; before, as the base declaration says.',
      ],
    ],
    [
      'aliases',
      {
        aliases: [
          { name: 'a', target: 'x' },
          { name: 'b', target: 'y' },
        ],
      },
      {
        aliases: [
          { name: 'a', target: 'z' },
          { name: 'c', target: 'x' },
        ],
        'auto-aliases': ['d'],
      },
      [
        'The alias "a" now runs the app "z"; before, "x".',
        'The alias "b" is gone.',
        'The alias "c" now runs the app "x".',
        'The alias "d" is now set up by itself.',
      ],
    ],
    [
      'gated snaps',
      { 'refresh-control': ['one', 'two'] },
      { 'refresh-control': ['two', 'three'] },
      [
        "Updates of snap three now wait for a validation by this snap's publisher.",
        "Updates of snap one no longer wait for this snap's publisher.",
      ],
    ],
    [
      'a delegated signer',
      {},
      {
        'revision-authority': [
          {
            'account-id': 'acc',
            provenance: ['factory'],
            'min-revision': '5',
            'on-store': ['s1', 's2'],
          },
        ],
      },
      [
        'Now account acc may sign revisions with provenance factory, min revision 5, on store s1, s2.',
      ],
    ],
    [
      'a withdrawn snap',
      NAME,
      { 'snap-name': '' },
      ['The snap "hub" is withdrawn: no device takes it any more.'],
    ],
  ])('says what changes: %s', (_, before, after, sentences) => {
    expect(describeChanges({ ...NAME, ...before }, { ...NAME, ...after })).toEqual(sentences);
  });
});
