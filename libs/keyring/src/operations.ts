import type { KeyPurpose } from './key-purpose.js';
import type { KeyringErrorCode } from './keyring-error.js';
import type { MasterKeySource } from './master-key.js';

/** A key that the signer holds, as it is told over the socket; `spki` is the public half in DER, base64. */
export interface HeldKey {
  readonly keyId: string;
  readonly purpose: KeyPurpose;
  readonly spki: string;
}

/** What can be asked of the signer process, and what it answers. A recovery secret seals for a root key file. */
export interface Operations {
  list: { ask: Record<never, never>; answer: { keys: readonly HeldKey[] } };
  sign: {
    ask: { keyId: string; purpose: KeyPurpose; contentBase64: string };
    answer: { signatureBase64: string };
  };
  generate: {
    ask: { bits: number; purpose: KeyPurpose; recoverySecret?: string };
    answer: { key: HeldKey; sealed: string };
  };
  load: { ask: { sealed: string; recoverySecret?: string }; answer: { key: HeldKey } };
  /** The public half that foreign keys are encrypted for (transport.ts). */
  transport: { ask: Record<never, never>; answer: { publicKey: string } };
  import: {
    ask: { parcel: string; purpose: KeyPurpose };
    answer: { key: HeldKey; sealed: string };
  };
  reseal: { ask: { sealed: string }; answer: { sealed: string } };
  forget: { ask: { keyId: string }; answer: Record<never, never> };
}

/** The name of an operation. */
export type Operation = keyof Operations;

/** What each operation does; the process with the keys has one (key-table.ts). */
export type OperationTable = {
  readonly [Op in Operation]: (ask: Operations[Op]['ask']) => Promise<Operations[Op]['answer']>;
};

/** One line to the signer. */
export interface Request<Op extends Operation = Operation> {
  readonly id: number;
  readonly op: Op;
  readonly ask: Operations[Op]['ask'];
}

/** One line from the signer; `id` is the request's. */
export type Response =
  | { readonly id: number; readonly answer: Operations[Operation]['answer'] }
  | { readonly id: number; readonly error: { code: KeyringErrorCode; message: string } };

/** The only line that the parent writes to the child's standard input; the end of that input ends the child. */
export interface SignerSetup {
  /** The first seals, all open. */
  readonly masterKeys: readonly MasterKeySource[];
  readonly sealedKeys: readonly string[];
  /** First line of every connection, for the case that the socket has to be a loopback port. */
  readonly password: string;
}

/** The only line that the child writes to its standard output. */
export type SignerReport =
  | {
      readonly address: { readonly path: string } | { readonly port: number };
      readonly keys: readonly HeldKey[];
    }
  | { readonly error: { code: KeyringErrorCode; message: string } };
