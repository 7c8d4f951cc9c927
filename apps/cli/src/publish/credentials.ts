import { bindDischarge, decodeMacaroon, encodeMacaroon } from '#libs/auth';
import { z } from 'zod';
import { Failure } from '../usage.js';

const pair = z.object({ r: z.string(), d: z.string() });
const typed = z.object({ t: z.literal('u1-macaroon'), v: pair });

/** A root macaroon and its discharge, unbound. */
export interface Credentials {
  readonly root: string;
  readonly discharge: string;
}

/** Reads what `SNAPCRAFT_STORE_CREDENTIALS` holds (publisher-api.md 2.9). Throws a `Failure`. */
export function readCredentials(text: string): Credentials {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
    const { r, d } = typed.safeParse(value).data?.v ?? pair.parse(value);
    decodeMacaroon(r);
    decodeMacaroon(d);
    return { root: r, discharge: d };
  } catch (error) {
    throw new Failure(
      'cannot read SNAPCRAFT_STORE_CREDENTIALS: make some with "brandstore credentials create" or "snapcraft export-login"',
      { cause: error },
    );
  }
}

/** The header of a call (publisher-api.md 2.5): the discharge is bound to its root. */
export function authorizationOf({ root, discharge }: Credentials): string {
  const bound = bindDischarge(decodeMacaroon(root), decodeMacaroon(discharge));
  return `Macaroon root=${root}, discharge=${encodeMacaroon(bound)}`;
}
