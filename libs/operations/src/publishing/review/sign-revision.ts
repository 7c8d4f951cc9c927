import { signAssertion, type Assertion } from '#libs/assertions';
import type { Blob, ComponentRevision, Snap } from '#libs/database';
import { timestamp } from '../../installation/timestamp.js';
import type { Resources } from '../../resources.js';

/** Says whose snap it is; the operator's account is its authority (assertions.md 9, 12). */
export async function signDeclaration({ db, keys }: Resources, snap: Snap): Promise<Assertion> {
  const now = db.clock.now();
  const headers = {
    'authority-id': keys.operatorAccountId,
    series: '16',
    'snap-id': snap.id,
    'snap-name': snap.name,
    'publisher-id': snap.brandId,
    timestamp: timestamp(now),
  };
  return signAssertion({ type: 'snap-declaration', headers }, await keys.signer(), now);
}

/** Says which bytes are that revision of the snap. */
export async function signRevision(
  { db, keys }: Resources,
  { snap, blob, revision }: { readonly snap: Snap; readonly blob: Blob; readonly revision: number },
): Promise<Assertion> {
  const now = db.clock.now();
  const headers = {
    'authority-id': keys.operatorAccountId,
    // Assertions carry as base64url what JSON carries as hex (device-api.md 0.4).
    'snap-sha3-384': Buffer.from(blob.sha3384, 'hex').toString('base64url'),
    // Given, so that it is left out as older readers expect (assertions.md 1.7).
    provenance: 'global-upload',
    'snap-id': snap.id,
    'snap-size': String(blob.sizeBytes),
    'snap-revision': String(revision),
    'developer-id': snap.brandId,
    timestamp: timestamp(now),
  };
  return signAssertion({ type: 'snap-revision', headers }, await keys.signer(), now);
}

/** Says which bytes are that revision of a component (device-api.md 2.2). */
export async function signComponentRevision(
  { db, keys }: Resources,
  component: ComponentRevision,
): Promise<Assertion> {
  const now = db.clock.now();
  const headers = {
    'authority-id': keys.operatorAccountId,
    ...componentHeaders(component),
    'resource-sha3-384': Buffer.from(component.sha3384, 'hex').toString('base64url'),
    'resource-size': String(component.sizeBytes),
    timestamp: timestamp(now),
  };
  return signAssertion({ type: 'snap-resource-revision', headers }, await keys.signer(), now);
}

/** Says that a component's revision belongs to that revision of its snap. */
export async function signComponentPair(
  { db, keys }: Resources,
  component: ComponentRevision,
  snapRevision: number,
): Promise<Assertion> {
  const now = db.clock.now();
  const headers = {
    'authority-id': keys.operatorAccountId,
    ...componentHeaders(component),
    'snap-revision': String(snapRevision),
    timestamp: timestamp(now),
  };
  return signAssertion({ type: 'snap-resource-pair', headers }, await keys.signer(), now);
}

const componentHeaders = ({ snapId, name, revision, brandId }: ComponentRevision) => ({
  'snap-id': snapId,
  'resource-name': name,
  'resource-revision': String(revision),
  'developer-id': brandId,
  provenance: 'global-upload',
});
