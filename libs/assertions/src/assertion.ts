import type { HeaderMap } from './headers.js';

/** Media type of encoded assertions on the wire (assertions.md 1.1). */
export const MEDIA_TYPE = 'application/x.ubuntu.assertion';

/** The types that are understood (assertions.md 3). */
export type AssertionTypeName =
  | 'account'
  | 'account-key'
  | 'account-key-request'
  | 'base-declaration'
  | 'cluster'
  | 'confdb-control'
  | 'confdb-schema'
  | 'device-session-request'
  | 'hardware-identity'
  | 'model'
  | 'preseed'
  | 'repair'
  | 'request-message'
  | 'response-message'
  | 'serial'
  | 'serial-request'
  | 'snap-build'
  | 'snap-declaration'
  | 'snap-developer'
  | 'snap-resource-pair'
  | 'snap-resource-revision'
  | 'snap-revision'
  | 'store'
  | 'system-user'
  | 'validation'
  | 'validation-set';

/**
 * One decoded assertion. It passed every check that needs no database; nothing is known yet about its signature.
 * All buffers are views of `bytes`, which is a copy of what was received.
 */
export interface Assertion {
  readonly type: AssertionTypeName;
  /** All headers as parsed; a missing optional primary key header is filled with its default. */
  readonly headers: HeaderMap;
  /** Empty when there is none. */
  readonly body: Buffer;
  /** Exactly the signed bytes. */
  readonly content: Buffer;
  /** The signature text, with its final newline if it came with one. */
  readonly signature: string;
  /** The assertion as it was received; store and send these, never a new encoding. */
  readonly bytes: Buffer;
  /** 0 when not given. Above 2^53 only an approximation: compare with {@link compareRevisions}. */
  readonly revision: number;
  readonly format: number;
  /** Values of the primary key headers, complete. */
  readonly primaryKey: readonly string[];
  /** Undefined for types without authority. */
  readonly authorityId: string | undefined;
  /** Id of the key that made the signature, as the header claims. */
  readonly signKeyId: string;
}

/** A text header, or the empty string when it is missing or a list or map. */
export function header(assertion: Pick<Assertion, 'headers'>, name: string): string {
  const value = assertion.headers[name];
  return typeof value === 'string' ? value : '';
}

/** Negative, zero or positive as the revision of `a` is lower than, equal to or higher than that of `b`; exact. */
export function compareRevisions(a: Assertion, b: Assertion): number {
  const difference = BigInt(header(a, 'revision') || 0) - BigInt(header(b, 'revision') || 0);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
