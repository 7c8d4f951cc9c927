import type { Snap, SnapRevision, Tx } from '#libs/database';
import { channelText, type Channel } from '#libs/update-control';
import { refusal } from '../wire-code.js';

/** Whether the whole version matches. Postgres asks, whose expressions do not run away as those of JavaScript can. */
export async function matchesPattern(tx: Tx, version: string, pattern: string): Promise<boolean> {
  const [row] = await tx.query<{ matches: boolean }[]>(
    `SELECT $1::text ~ ('^(?:' || $2::text || ')$') AS matches`,
    [version, pattern],
  );
  return row?.matches === true;
}

/** A track takes only versions of its pattern (publisher-api.md 4.6). Throws `invalid` naming pattern and version. */
export async function checkVersions(
  tx: Tx,
  snap: Pick<Snap, 'name' | 'versionPatterns'>,
  { revision, version }: Pick<SnapRevision, 'revision' | 'version'>,
  channels: readonly Channel[],
): Promise<void> {
  for (const channel of channels) {
    const pattern = snap.versionPatterns[channel.track];
    if (pattern === undefined || (await matchesPattern(tx, version, pattern))) continue;
    throw refusal(
      'invalid',
      'invalid-field',
      `cannot release revision ${revision} of ${snap.name} to ${channelText(channel)}: its version '${version}' does not match ` +
        `'${pattern}', the version pattern of track ${channel.track}`,
    );
  }
}
