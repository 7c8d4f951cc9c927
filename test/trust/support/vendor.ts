import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import {
  encodeAssertions,
  header,
  signAssertion,
  type Assertion,
  type AssertionDraft,
  type Signer,
} from '#libs/assertions';
import { formatId } from '#libs/auth';
import { SNAPS } from '../../admin/support/admin-store.js';
import { makeSigner } from '../../device/support/device-store.js';

const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
export const newId = (): string => formatId(randomBytes(32));

/** Somebody else's store with a root of its own, and what `snap download` would write there. */
export class Vendor {
  readonly id = newId();
  readonly rootSigner = makeSigner();
  readonly storeSigner = makeSigner();
  /** Root account and root account-key. */
  trusted!: readonly Assertion[];
  storeKey!: Assertion;

  static async make(): Promise<Vendor> {
    const vendor = new Vendor();
    const { id, rootSigner, storeSigner } = vendor;
    vendor.trusted = [
      await vendor.account(id, 'vendor', rootSigner),
      await vendor.key(id, 'root', rootSigner, rootSigner),
    ];
    vendor.storeKey = await vendor.key(id, 'store', storeSigner, rootSigner);
    return vendor;
  }

  account(id: string, username: string, signer = this.storeSigner): Promise<Assertion> {
    const headers = {
      ...{ 'authority-id': this.id, 'account-id': id, username },
      ...{ 'display-name': username.toUpperCase(), validation: 'verified', timestamp: now() },
    };
    return this.sign({ type: 'account', headers }, signer);
  }

  key(id: string, name: string, key: Signer, signer = this.storeSigner): Promise<Assertion> {
    const headers = {
      ...{ 'authority-id': this.id, 'account-id': id, name, since: '2026-01-01T00:00:00Z' },
      'public-key-sha3-384': key.publicKey.id,
    };
    return this.sign({ type: 'account-key', headers, body: key.publicKey.encoded }, signer);
  }

  declaration(
    snapId: string,
    name: string,
    publisher: Assertion,
    more: Record<string, unknown> = {},
  ): Promise<Assertion> {
    const headers = {
      ...{ 'authority-id': this.id, series: '16', 'snap-id': snapId, 'snap-name': name },
      ...{ 'publisher-id': header(publisher, 'account-id'), timestamp: now(), ...more },
    };
    return this.sign({ type: 'snap-declaration', headers }, this.storeSigner);
  }

  revision(
    declaration: Assertion,
    file: string,
    revision: number,
    more: Record<string, string> = {},
    signer = this.storeSigner,
  ): Promise<Assertion> {
    const bytes = readFileSync(file);
    const headers = {
      'authority-id': this.id,
      'snap-sha3-384': createHash('sha3-384').update(bytes).digest('base64url'),
      provenance: 'global-upload',
      'snap-id': header(declaration, 'snap-id'),
      'snap-size': String(bytes.length),
      'snap-revision': String(revision),
      'developer-id': header(declaration, 'publisher-id'),
      ...{ timestamp: now(), ...more },
    };
    return this.sign({ type: 'snap-revision', headers }, signer);
  }

  /** A published revision of one of the sample snaps: the file, and what lies beside it after `snap download`. */
  async publish(sample: string, name: string, revision: number): Promise<Published> {
    const publisher = await this.account(newId(), `${name}-makers`);
    const declaration = await this.declaration(newId(), name, publisher);
    return this.publishAs(sample, publisher, declaration, revision);
  }

  async publishAs(
    sample: string,
    publisher: Assertion,
    declaration: Assertion,
    revision: number,
  ): Promise<Published> {
    const file = join(SNAPS, sample);
    const signed = await this.revision(declaration, file, revision);
    const papers = [this.storeKey, publisher, declaration, signed];
    return { file, papers, publisher, declaration, assert: assertFile(papers) };
  }

  private sign(draft: AssertionDraft, signer: Signer): Promise<Assertion> {
    return signAssertion(draft, signer, new Date());
  }
}

export interface Published {
  readonly file: string;
  readonly papers: readonly Assertion[];
  readonly publisher: Assertion;
  readonly declaration: Assertion;
  /** The path of a file that holds the papers. */
  readonly assert: string;
}

/** Writes a stream of assertions; returns its path. */
export function assertFile(assertions: readonly Assertion[]): string {
  const path = join(inject('stackDir'), `${randomBytes(6).toString('hex')}.assert`);
  writeFileSync(path, encodeAssertions(assertions));
  return path;
}
