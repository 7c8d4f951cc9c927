import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify, parseArgs } from 'node:util';
import { localSigner, publicKeyFromKeyObject, signAssertion } from '#libs/assertions';
import type { Io } from '../io.js';
import { OK, UsageError } from '../usage.js';
import { timeOption } from './input.js';
import { readPrivateKey, readPublicKey } from './key-file.js';

const commands: Readonly<Record<string, (args: string[], io: Io) => Promise<number>>> = {
  create,
  export: exportKey,
  id,
};

/** `assertion key create|export|id` */
export async function keyCommand(args: string[], io: Io): Promise<number> {
  const [name = '', ...rest] = args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new UsageError('key takes create, export or id');
  return command(rest, io);
}

/** What issuers of account-keys and serials ask for at least (assertions.md 4). */
const MINIMUM_BITS = 4096;

async function create(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { bits: { type: 'string', default: String(MINIMUM_BITS) } },
  });
  const bits = Number(values.bits);
  if (!Number.isInteger(bits) || bits < MINIMUM_BITS || bits > 16384) {
    throw new UsageError(`--bits must be ${MINIMUM_BITS} to 16384`);
  }
  const file = onlyFile(positionals, 'key create');
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: bits });
  await io.writeSecret(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  io.out(`${publicKeyFromKeyObject(privateKey).id}\n`);
  return OK;
}

async function exportKey(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { account: { type: 'string' }, name: { type: 'string' }, since: { type: 'string' } },
  });
  const file = onlyFile(positionals, 'key export');
  if (values.account === undefined) {
    if (values.name !== undefined || values.since !== undefined)
      throw new UsageError('--name and --since need --account');
    io.out(`${(await readPublicKey(file, io)).encoded}\n`);
    return OK;
  }
  if (values.name === undefined) throw new UsageError('--account needs --name');
  const since = timeOption(values.since, io);
  io.out(
    await keyRequest(await readPrivateKey(file, io), values.account, values.name, since, io.now()),
  );
  return OK;
}

/** The account-key-request with which an account asks for a certificate of its key (assertions.md 9, 16). */
async function keyRequest(
  key: KeyObject,
  account: string,
  name: string,
  since: Date,
  now: Date,
): Promise<Buffer> {
  const signer = localSigner(key);
  const headers = {
    'account-id': account,
    name,
    'public-key-sha3-384': signer.publicKey.id,
    since: since.toISOString().replace(/\.\d+Z$/, 'Z'),
  };
  const draft = { type: 'account-key-request', headers, body: signer.publicKey.encoded } as const;
  return (await signAssertion(draft, signer, now)).bytes;
}

async function id(args: string[], io: Io): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true });
  io.out(`${(await readPublicKey(positionals[0] ?? '-', io)).id}\n`);
  return OK;
}

function onlyFile(positionals: readonly string[], command: string): string {
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError(`${command} takes one file`);
  return file;
}
