import { entryBeside } from '#libs/process-entry';

/** Arguments of `node` that start the signer process. */
export function signerArguments(): readonly string[] {
  const { file, execArgv } = entryBeside(import.meta.url, 'signer-process');
  return [...execArgv, file];
}
