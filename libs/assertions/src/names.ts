/** Patterns of names and ids (assertions.md 2). All are anchored at both ends and none has a quadratic case. */

export const ACCOUNT_ID = /^(?:[a-z0-9A-Z]{32}|[-a-z0-9]{2,28})$/;
export const SNAP_ID = /^[a-z0-9A-Z]{32}$/;
export const PROVENANCE = /^[a-zA-Z0-9](?:-?[a-zA-Z0-9])*$/;
export const MODEL = /^[a-zA-Z0-9](?:-?[a-zA-Z0-9])*$/;
export const ALIAS = /^[a-zA-Z0-9][-_.a-zA-Z0-9]*$/;
export const APP = /^[a-zA-Z0-9](?:-?[a-zA-Z0-9])*$/;
export const STRICT_SERIAL = /^[a-zA-Z0-9](?:[:+-]?[a-zA-Z0-9])*$/;
export const LOWER_NAME = /^[a-z0-9](?:-?[a-z0-9])*$/;
export const STORE_ID = /^[-A-Z0-9a-z_]+$/;

/**
 * Account-key names: words of lower-case letters and digits joined by single dashes, with at least one letter that
 * stands where a word may start. The reference's pattern says the same with an ambiguous repetition, which is quadratic
 * or worse in a backtracking engine.
 */
export function isAccountKeyName(name: string): boolean {
  return LOWER_NAME.test(name) && /[a-z]/.test(name);
}

/** The default provenance, which optional key headers take when they are missing (assertions.md 3). */
export const DEFAULT_PROVENANCE = 'global-upload';

/** The only series there is (assertions.md 2). */
export const SERIES = '16';

/** Snap names, and everything that follows the same rules: components, resources. */
export function isSnapName(name: string): boolean {
  return name.length >= 2 && name.length <= 40 && LOWER_NAME.test(name) && /[a-z]/.test(name);
}

/** A snap name with an optional instance key. */
export function isInstanceName(name: string): boolean {
  const cut = name.indexOf('_');
  if (cut === -1) return isSnapName(name);
  return isSnapName(name.slice(0, cut)) && /^[a-z0-9]{1,10}$/.test(name.slice(cut + 1));
}

const RISKS = ['stable', 'candidate', 'beta', 'edge'];

export function isRisk(name: string): boolean {
  return RISKS.includes(name);
}

/**
 * Takes a channel apart: `track`, `risk`, `track/risk`, `risk/branch` or `track/risk/branch`.
 *
 * @returns null if it is none of these; `track` is empty when only a risk is named
 */
export function parseChannel(channel: string): { track: string } | null {
  const parts = channel.split('/');
  const [first = '', second] = parts;
  if (parts.length > 3 || parts.includes('')) return null;
  if (parts.length < 3 && isRisk(first)) return { track: '' };
  if (second !== undefined && !isRisk(second)) return null;
  return { track: first };
}
