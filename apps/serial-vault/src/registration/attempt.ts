import type { Assertion, RegistrationParts } from '#libs/assertions';
import type {
  VaultApiKey,
  VaultDevice,
  VaultModel,
  VaultModelPolicy,
  VaultRemodelRule,
} from '#libs/database';

/** What arrived. */
export interface Envelope {
  readonly body: Buffer;
  /** Without parameters, lower case; undefined when none was sent. */
  readonly contentType: string | undefined;
  readonly apiKey: string | undefined;
  readonly address: string;
  readonly userAgent: string;
}

/** A model as this vault knows it, with the policy in force. */
export interface RegisteredModel {
  readonly row: VaultModel;
  /** Null: of a former vault's model nobody has registered it here. */
  readonly assertion: Assertion | null;
  readonly policy: VaultModelPolicy;
  readonly policyRevision: number;
}

/** What the duplicate rules decided (serial-vault.md 6.3). */
export type Decision =
  | {
      readonly kind: 'sign';
      readonly revision: number;
      readonly supersedes?: VaultDevice;
      readonly operator?: string;
    }
  | { readonly kind: 'repeat'; readonly device: VaultDevice; readonly serial: Assertion }
  | {
      readonly kind: 'hold';
      /** Another device key has the serial, or it is on no production order yet. */
      readonly why: 'duplicate' | 'unlisted';
      /** The key that has the serial now. */
      readonly formerDeviceKeyId?: string;
      readonly days: number;
      readonly isNew: boolean;
    };

/** The device that a remodel starts from, and the rule that lets it. */
export interface Remodel {
  readonly device: VaultDevice;
  readonly rule: VaultRemodelRule;
}

/** One registration on its way through the checks: each adds what it found for those that follow. */
export class Attempt {
  apiKey: VaultApiKey | null = null;
  parts: RegistrationParts | undefined;
  brandId = '';
  model = '';
  deviceKeyId = '';
  /** What the device proposes; empty: nothing. */
  proposedSerial = '';
  serial = '';
  /** For a serial that is on no order yet: how long it may wait for one. */
  unlistedDays: number | undefined;
  requestIdHash = '';
  /** SHA3-384 of the posted bytes, base64url. */
  requestDigest = '';
  registered: RegisteredModel | undefined;
  remodel: Remodel | undefined;
  decision: Decision | undefined;

  constructor(readonly envelope: Envelope) {}

  get ref(): { brandId: string; model: string; serial: string } {
    return { brandId: this.brandId, model: this.model, serial: this.serial };
  }

  get holder(): { brandId: string; model: string; serial: string; deviceKeyId: string } {
    return { ...this.ref, deviceKeyId: this.deviceKeyId };
  }

  /** The model assertion that counts: the device's own, in a dry run the registered one. */
  get modelAssertion(): Assertion {
    const registered = known(this.registered, 'the model').assertion ?? undefined;
    return this.parts?.model ?? known(registered, 'the model assertion');
  }
}

/** A later check relies on what an earlier one found; if it is not there, the list is in the wrong order. */
export function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`cannot go on: ${what} is not known yet`);
  return value;
}
