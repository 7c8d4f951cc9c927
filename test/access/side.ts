import type { Signer } from '#libs/assertions';
import type { ScriptedDevice } from '../../tools/clients/device.js';
import type { Things } from './things.js';

/** Who can ask in a brand's name; `guest`: a person who has just logged in, each time anew. */
export type Login =
  | 'person'
  | 'viewer'
  | 'token'
  | 'guest'
  | 'publisher'
  | 'device'
  | 'stranger'
  | 'vaultAdmin'
  | 'vaultOperator'
  | 'vaultViewer'
  | 'gadget';

export type Headers = Readonly<Record<string, string>>;

/** A brand with somebody of each kind that can ask. */
export interface Side {
  readonly things: Things;
  readonly headersOf: (login: Login) => Promise<Headers>;
  /** The brand's key. */
  readonly signer: Signer;
  /** One of the brand's devices, which the vault knows too. */
  readonly box: ScriptedDevice;
  readonly gadgetKey: string;
}

/** Where the two brands are. */
export interface World {
  readonly urls: Readonly<Record<'store' | 'vault', string>>;
  /** Of a brand that is not there: somebody's. */
  signerOf(brandId: string): Signer;
}
