import type { Command } from 'commander';
import type { Io } from '../io.js';
import { connectToVault, vaultCommandOf, type VaultOptions } from './connect.js';

const FILTERS = {
  model: 'of this model',
  serial: 'whose serial holds this',
  deviceKeyId: 'of this device key',
  address: 'that came from there',
  outcome: 'signed, repeated, pending, approved or refused',
  code: 'refused for this reason',
  from: 'from this instant on',
  until: 'before this instant',
} as const;
type Filter = keyof typeof FILTERS;
type LogOptions = VaultOptions & Partial<Record<Filter, string>> & { readonly csv?: boolean };

const flagOf = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `brandstore vault log`: rows of the signing log as CSV or JSON lines, newest first, as they arrive. */
export function logCommand(io: Io): Command {
  const command = vaultCommandOf('log').description(
    'what became of registrations; CSV, or JSON lines',
  );
  for (const [name, text] of Object.entries(FILTERS))
    command.option(`--${flagOf(name)} <value>`, text);
  return command.action((options: LogOptions) => log(io, options));
}

async function log(io: Io, options: LogOptions): Promise<void> {
  const { vault, brandId } = await connectToVault(io, options);
  const query = new URLSearchParams({ format: options.json ? 'jsonl' : 'csv' });
  for (const name of Object.keys(FILTERS) as Filter[]) {
    const value = options[name];
    if (value !== undefined) query.set(name, value);
  }
  const path = `/admin/v1/brands/${brandId}/serial-log/export?${query.toString()}`;
  const { body } = await vault.get(path, EXPORT_MS);
  for await (const chunk of body ?? []) io.out(chunk as Uint8Array);
}

/** A log of millions takes its time. */
const EXPORT_MS = 3_600_000;
