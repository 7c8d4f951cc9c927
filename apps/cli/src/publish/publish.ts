import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Io } from '../io.js';
import { print } from '../output.js';
import { meantUrl, type StoreOptions } from '../session/connect.js';
import { storeCommand } from '../store-command.js';
import { Failure, UsageError } from '../usage.js';
import { readCredentials } from './credentials.js';
import { PublisherClient, type UploadStatus } from './publisher-client.js';
import { sizeOf } from '../size-of.js';
import { uploadBarOn } from '../upload-bar.js';
import { endsSoon } from './warning.js';

type PublishOptions = StoreOptions & {
  readonly channel?: readonly string[];
  readonly component?: readonly string[];
  readonly name?: string;
};

const POLL_MS = 1000;

const about = `
Credentials are read from SNAPCRAFT_STORE_CREDENTIALS: make them with "brandstore credentials create", or "snapcraft export-login".
The same store is asked as by snapcraft, so what snapcraft may not do is refused here too. docs/publishing.md has a recipe for CI.`;

/** `brandstore publish FILE --channel …`: upload, review, release, in one command that ends with 0 only when all of it was done. */
export function publishCommand(io: Io): Command {
  return storeCommand('publish')
    .description('upload a snap and release it')
    .argument('<file>', 'such as acme-dashboard_1.0_amd64.snap')
    .option('--channel <channel...>', 'released to as soon as the store has accepted it')
    .option('--component <name=file...>', 'all that the snap declares')
    .option('--name <name>', 'of the snap (else the file name up to its first _)')
    .addHelpText('after', about)
    .action((file: string, options: PublishOptions) => publish(io, file, options));
}

async function publish(io: Io, file: string, options: PublishOptions): Promise<void> {
  const client = await connect(io, options);
  const name = options.name ?? basename(file).split(/[_.]/)[0] ?? '';
  const parts = (options.component ?? []).map(readComponent);
  const sizeBytes = await sizeOf(file);
  for (const part of parts) await sizeOf(part.file);
  await warnBeforeEnd(io, client);
  await client.mayPush(name);
  const components: Record<string, string> = {};
  for (const part of parts) components[part.name] = await send(io, client, part.file);
  const uploadId = await send(io, client, file);
  const channels = options.channel ?? [];
  const statusUrl = await client.push({ name, uploadId, sizeBytes, channels, components });
  const { revision, code, errors } = await waitFor(client, statusUrl);
  if (errors.length > 0)
    throw new Failure(
      [`cannot publish ${name}:`, ...errors.map(({ message }) => `- ${message}`)].join('\n'),
    );
  const released = channels.length > 0 ? `, released to ${channels.join(', ')}` : '';
  const value = { name, revision, code, channels };
  print(io, options, value, `revision ${revision} of ${name}${released}`);
}

async function connect(io: Io, { url: option }: PublishOptions): Promise<PublisherClient> {
  const url = await meantUrl(io, option);
  if (url === null)
    throw new UsageError('cannot tell which store is meant: set BRANDSTORE_URL or --url');
  const text = io.env.SNAPCRAFT_STORE_CREDENTIALS;
  if (!text)
    throw new UsageError(
      'cannot publish without SNAPCRAFT_STORE_CREDENTIALS: make some with "brandstore credentials create"',
    );
  return new PublisherClient(url, readCredentials(text, url));
}

function readComponent(text: string): { name: string; file: string } {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`cannot read --component ${text}: give NAME=FILE`);
  return { name: text.slice(0, at), file: text.slice(at + 1) };
}

async function send(io: Io, client: PublisherClient, file: string): Promise<string> {
  const bar = uploadBarOn(io, basename(file));
  try {
    return await client.send(file, (bytes, of) => bar.show(bytes, of));
  } finally {
    bar.end();
  }
}

async function warnBeforeEnd(io: Io, client: PublisherClient): Promise<void> {
  const soon = endsSoon(await client.expiresAt(), io.now());
  if (soon !== null)
    io.err(`warning: these credentials end ${soon}: make new ones and replace them in CI`);
}

async function waitFor(client: PublisherClient, statusUrl: string): Promise<UploadStatus> {
  for (;;) {
    const status = await client.status(statusUrl);
    if (status.processed) return status;
    await sleep(POLL_MS);
  }
}
