import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  AssertionDatabase,
  decodeAssertion,
  localSigner,
  publicKeyFromEncoded,
  signAssertion,
} from '#libs/assertions';
import { findSnapTool, HOW_TO_INSTALL } from './snap-tool.js';

const vectors = join(import.meta.dirname, '../vectors/assertions');
const read = (file: string): Buffer => readFileSync(join(vectors, file));
const now = new Date('2026-06-01T00:00:00Z');
const KEY_NAME = 'acme-models';

const tool = findSnapTool();

describe.skipIf(tool === undefined)(
  `assertions of Debian's snap program (needs: ${HOW_TO_INSTALL})`,
  () => {
    afterAll(() => tool?.remove());
    const snap = (...args: string[]): Buffer => tool?.snap(args) ?? Buffer.alloc(0);

    /** A database in which the brand exists, under the self-made root of the vectors. */
    function database(): AssertionDatabase {
      const trusted = ['root-account', 'root-account-key'].map((name) =>
        decodeAssertion(read(`chain/${name}.assert`)),
      );
      const db = new AssertionDatabase({ trusted });
      for (const name of ['store-account-key', 'brand-account']) {
        expect(db.add(decodeAssertion(read(`chain/${name}.assert`)), now)).toEqual({ valid: true });
      }
      return db;
    }

    it('are accepted: an exported key, its request, and a model that it signed', async () => {
      tool?.createKey(KEY_NAME);
      const publicKey = publicKeyFromEncoded(snap('export-key', KEY_NAME).toString().trimEnd());
      expect(snap('keys').toString()).toContain(publicKey.id);
      const db = database();

      const request = decodeAssertion(snap('export-key', '--account=brand-acme', KEY_NAME));
      expect(db.check(request, now)).toEqual({ valid: true });

      const accountKey = await signAssertion(
        {
          type: 'account-key',
          headers: {
            'authority-id': 'selfroot',
            'account-id': 'brand-acme',
            name: KEY_NAME,
            'public-key-sha3-384': publicKey.id,
            since: '2024-01-01T00:00:00Z',
          },
          body: publicKey.encoded,
        },
        localSigner(createPrivateKey(read('keys/store.pem'))),
        now,
      );
      expect(db.add(accountKey, now)).toEqual({ valid: true });

      const draft = tool?.file('model.json', JSON.stringify(MODEL)) ?? '';
      const signed = snap('sign', '-k', KEY_NAME, draft);
      const model = decodeAssertion(signed);
      expect(model.primaryKey).toEqual(['16', 'brand-acme', 'acme-signed-by-snap']);
      expect(db.check(model, now)).toEqual({ valid: true });

      const tampered = decodeAssertion(
        Buffer.from(signed.toString('latin1').replace('pc=18', 'pc=20'), 'latin1'),
      );
      expect(db.check(tampered, now)).toMatchObject({
        valid: false,
        errorClass: 'signature does not verify',
      });
    });
  },
);

const MODEL = {
  type: 'model',
  'authority-id': 'brand-acme',
  series: '16',
  'brand-id': 'brand-acme',
  model: 'acme-signed-by-snap',
  architecture: 'amd64',
  base: 'core18',
  gadget: 'pc=18',
  kernel: 'pc-kernel=18',
  'required-snaps': ['thermo-reader'],
  timestamp: '2026-01-01T00:00:00Z',
};
