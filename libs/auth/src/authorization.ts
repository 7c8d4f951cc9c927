/** What an `Authorization`-like header carries; the forms of publisher-api.md 2.5 and device-api.md 2.18. */
export type Authorization =
  | { readonly kind: 'macaroons'; readonly root: string; readonly discharges: readonly string[] }
  | { readonly kind: 'token'; readonly scheme: 'macaroon' | 'bearer'; readonly token: string };

const PARAMETER = /^(\w+)=(?:"([^"]*)"|([^",\s]*))$/;

function parseParameters(text: string): Authorization | null {
  let root: string | undefined;
  const discharges: string[] = [];
  for (const part of text.split(',')) {
    const [, name, quoted, bare] = PARAMETER.exec(part.trim()) ?? [];
    const value = quoted ?? bare ?? '';
    if (value === '') return null;
    if (name === 'discharge') discharges.push(value);
    else if (name === 'root' && root === undefined) root = value;
    else return null;
  }
  return root === undefined ? null : { kind: 'macaroons', root, discharges };
}

/**
 * Reads one header value; `null` when it is of none of the known forms. Schemes are case-insensitive.
 *
 * @example
 * parseAuthorization('Macaroon root="r", discharge="d"') // { kind: 'macaroons', root: 'r', discharges: ['d'] }
 * parseAuthorization('macaroon acme_pub_8f3c') // { kind: 'token', scheme: 'macaroon', token: 'acme_pub_8f3c' }
 */
export function parseAuthorization(header: string): Authorization | null {
  // Trimmed first: a pattern that skips blanks at both ends takes quadratic time on a header full of blanks.
  const [, scheme = '', rest = ''] = /^(macaroon|bearer)\s+(\S.*)$/i.exec(header.trim()) ?? [];
  if (rest === '') return null;
  const isBearer = scheme.toLowerCase() === 'bearer';
  // Tokens may end in `=` padding but never contain `root=` in front.
  if (!isBearer && /(^|[\s,])root=/.test(rest)) return parseParameters(rest);
  if (/[\s",]/.test(rest)) return null;
  return { kind: 'token', scheme: isBearer ? 'bearer' : 'macaroon', token: rest };
}
