import { describe, expect, it } from 'vitest';
import { decodeAssertion, localSigner, signAssertion } from '#libs/assertions';
import { makeRsaKeySync } from '#libs/keyring';
import { toModelRow } from './to-model-row.js';

const signer = localSigner(makeRsaKeySync(2048));
const id = (letter: string): string => letter.repeat(32);

async function rowOf(more: Record<string, unknown>): Promise<unknown> {
  const headers = {
    'authority-id': 'acme',
    series: '16',
    'brand-id': 'acme',
    model: 'panel',
    timestamp: '2026-11-21T10:00:00Z',
    ...more,
  };
  const { bytes } = await signAssertion({ type: 'model', headers }, signer, new Date());
  return toModelRow(decodeAssertion(bytes));
}

describe('what a model allows', () => {
  it('of the old kind: the kernel and the gadget it names without their tracks, any base', async () => {
    const names = { architecture: 'amd64', gadget: 'pc=22', kernel: 'pc-kernel=22' };
    expect(await rowOf({ ...names, base: 'core22' })).toEqual({
      ...{ brandId: 'acme', model: 'panel', isClassic: false },
      ...{ kernel: 'pc-kernel', gadget: 'pc', bases: null },
    });
    expect(await rowOf({ classic: 'true' })).toMatchObject({
      ...{ isClassic: true, kernel: null, gadget: null, bases: null },
    });
  });

  it('with snaps: those of the types, and only the bases it names unless it is dangerous', async () => {
    const snaps = [
      { name: 'acme-kernel', id: id('k'), type: 'kernel', 'default-channel': '22/stable' },
      { name: 'acme-gadget', id: id('g'), type: 'gadget', 'default-channel': '22/stable' },
      { name: 'core20', id: id('b'), type: 'base', 'default-channel': 'latest/stable' },
      { name: 'app', id: id('a'), 'default-channel': 'latest/stable' },
    ];
    const extended = { architecture: 'amd64', base: 'core22', snaps };
    expect(await rowOf(extended)).toMatchObject({
      ...{ kernel: 'acme-kernel', gadget: 'acme-gadget', bases: ['core22', 'core20'] },
    });
    expect(await rowOf({ ...extended, grade: 'dangerous' })).toMatchObject({ bases: null });
  });
});
