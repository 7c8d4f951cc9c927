import { parseArgs } from 'node:util';
import { isAssertionTypeName, localSigner, signAssertion } from '#libs/assertions';
import type { Io } from '../io.js';
import { OK, UsageError } from '../usage.js';
import { timeOption } from './input.js';
import { readPrivateKey } from './key-file.js';

/** `assertion sign`: takes the JSON that `snap sign` takes, and prints the assertion. */
export async function signCommand(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { key: { type: 'string' }, at: { type: 'string' } },
  });
  if (values.key === undefined) throw new UsageError('sign needs --key FILE');
  if (positionals.length > 1) throw new UsageError('sign takes one file');
  const { type, body = '', ...headers } = parseObject(await io.read(positionals[0] ?? '-'));
  if (typeof type !== 'string' || !isAssertionTypeName(type)) {
    throw new UsageError(`"type" must name an assertion type, not ${JSON.stringify(type)}`);
  }
  if (typeof body !== 'string') throw new UsageError('"body" must be a text');
  const signer = localSigner(await readPrivateKey(values.key, io));
  const assertion = await signAssertion({ type, headers, body }, signer, timeOption(values.at, io));
  io.out(assertion.bytes);
  return OK;
}

function parseObject(input: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(input.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // said below
  }
  throw new UsageError('sign reads one JSON object of headers');
}
