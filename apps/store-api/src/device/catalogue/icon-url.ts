import type { IconFile } from '#libs/database';

/** Below the store's own address, since behind a proxy store snapd takes no other (device-api.md 2.15). */
export function iconUrl(publicUrl: string, { sha256, format }: IconFile): string {
  return `${publicUrl}/api/v1/snaps/icons/${sha256}.${format}`;
}
