import { Command } from 'commander';

/** A command that talks to a store. */
export const storeCommand = (name: string): Command =>
  new Command(name)
    .option('--url <url>', 'the store (else BRANDSTORE_URL, else the last login)')
    .option('--json', 'print JSON');

/** A command that acts in a brand. */
export const brandCommand = (name: string): Command =>
  storeCommand(name).option(
    '--brand <name>',
    'user name or account id (else BRANDSTORE_BRAND, else your only brand)',
  );
