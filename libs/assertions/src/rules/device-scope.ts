import type { HeaderMap } from '../headers.js';
import { ACCOUNT_ID, STORE_ID } from '../names.js';
import { textList } from '../values.js';

const BRAND_MODEL = /^(?:[a-z0-9A-Z]{32}|[-a-z0-9]{2,28})\/[a-zA-Z0-9](?:-?[a-zA-Z0-9])*$/;

/** Which devices a rule is for: all lists that are given must contain the device (assertions.md 10.3). */
export interface DeviceScope {
  readonly stores: readonly string[];
  readonly brands: readonly string[];
  /** `brand/model` */
  readonly models: readonly string[];
}

/** @returns undefined when the map names no device scope */
export function compileDeviceScope(map: HeaderMap, where: string): DeviceScope | undefined {
  if (!['on-store', 'on-brand', 'on-model'].some((name) => map[name] !== undefined))
    return undefined;
  return {
    stores: textList(map, 'on-store', STORE_ID, where),
    brands: textList(map, 'on-brand', ACCOUNT_ID, where),
    models: textList(map, 'on-model', BRAND_MODEL, where),
  };
}

/** A device as far as scopes look at it; `friendlyStores` are those of its store's assertion. */
export interface ScopedDevice {
  readonly store: string;
  readonly brand: string;
  readonly model: string;
  readonly friendlyStores?: readonly string[];
}

export function isInScope(device: ScopedDevice, scope: DeviceScope | undefined): boolean {
  if (scope === undefined) return true;
  const { stores, brands, models } = scope;
  const deviceStores = [device.store, ...(device.friendlyStores ?? [])];
  return (
    (stores.length === 0 || stores.some((store) => deviceStores.includes(store))) &&
    (brands.length === 0 || brands.includes(device.brand)) &&
    (models.length === 0 || models.includes(`${device.brand}/${device.model}`))
  );
}
