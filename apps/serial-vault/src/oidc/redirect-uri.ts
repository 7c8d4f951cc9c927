/** Literals only: a name such as localhost may lead elsewhere (RFC 8252, 7.3 and 8.3). */
const LOOPBACK = ['127.0.0.1', '[::1]'];

/** Whether only this machine hears what is sent there. */
export const isLoopback = ({ protocol, hostname }: URL): boolean =>
  protocol === 'http:' && LOOPBACK.includes(hostname);

/** The address of a text that is nothing else: no user name, query or fragment, and written as it is read; else null. */
export function plainUrl(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && text === url.origin + url.pathname ? url : null;
}

/**
 * Whether a browser may be sent back there with the answer of the provider: to the machine itself, at any port, where
 * `brandstore` listens, or to exactly one of the addresses that the operator named.
 */
export function isAllowedRedirect(text: string, configured: readonly string[]): boolean {
  const url = plainUrl(text);
  return url !== null && (isLoopback(url) || configured.includes(text));
}
