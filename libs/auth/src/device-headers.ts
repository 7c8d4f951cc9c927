/** Header values as Node gives them: lower-case names. */
export type HeaderBag = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a device says of itself in either header dialect (device-api.md 0.3); absent headers are absent fields. */
export interface DeviceHeaders {
  /** Still the whole `Macaroon root="…"`; give it to `readDeviceSession`. */
  readonly authorization?: string;
  readonly storeId?: string;
  readonly series?: string;
  readonly architecture?: string;
  readonly isClassic?: boolean;
}

// The level does not follow the URL path (device-api.md 0.3), so both are read everywhere, the newer first.
const DIALECTS = {
  authorization: ['snap-device-authorization', 'x-device-authorization'],
  storeId: ['snap-device-store', 'x-ubuntu-store'],
  series: ['snap-device-series', 'x-ubuntu-series'],
  architecture: ['snap-device-architecture', 'x-ubuntu-architecture'],
} as const;

function first(headers: HeaderBag, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    const text = (typeof value === 'string' ? value : value?.[0])?.trim();
    if (text !== undefined && text !== '') return text;
  }
  return undefined;
}

/**
 * Reads both dialects.
 *
 * @example readDeviceHeaders({ 'x-ubuntu-store': 'acme-gateways' }) // { storeId: 'acme-gateways' }
 */
export function readDeviceHeaders(headers: HeaderBag): DeviceHeaders {
  const found = Object.entries(DIALECTS)
    .map(([field, names]) => [field, first(headers, names)] as const)
    .filter(([, value]) => value !== undefined);
  const classic = first(headers, ['snap-classic', 'x-ubuntu-classic']);
  return {
    ...Object.fromEntries(found),
    ...(classic === undefined ? {} : { isClassic: classic.toLowerCase() === 'true' }),
  };
}
