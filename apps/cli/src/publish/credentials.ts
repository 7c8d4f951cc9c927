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

/**
 * Reads what `SNAPCRAFT_STORE_CREDENTIALS` holds for the store (publisher-api.md 2.9): JSON in base64, with or without its type, or
 * the old INI, in base64 or plain. Throws a `Failure`.
 */
export function readCredentials(text: string, url: string): Credentials {
  try {
    const { r, d } = readIni(text, url) ?? readJson(text);
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

const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

function readJson(text: string): z.infer<typeof pair> {
  const value: unknown = JSON.parse(fromBase64(text));
  return typed.safeParse(value).data?.v ?? pair.parse(value);
}

/** The section is named after the store's host, without port; null: it is no INI. */
function readIni(text: string, url: string): z.infer<typeof pair> | null {
  const ini = [text, fromBase64(text)].find((one) => one.trimStart().startsWith('['));
  if (ini === undefined) return null;
  const sections = ini.split(/^\s*\[/m).map((part) => part.split(']'));
  const [, body = ''] = sections.find(([name]) => name === new URL(url).hostname) ?? [];
  const value = (key: string): string | undefined =>
    new RegExp(`^\\s*${key}\\s*[=:]\\s*(\\S+)`, 'm').exec(body)?.[1];
  return pair.parse({ r: value('macaroon'), d: value('unbound_discharge') });
}

/** The header of a call (publisher-api.md 2.5): the discharge is bound to its root. */
export function authorizationOf({ root, discharge }: Credentials): string {
  const bound = bindDischarge(decodeMacaroon(root), decodeMacaroon(discharge));
  return `Macaroon root=${root}, discharge=${encodeMacaroon(bound)}`;
}
