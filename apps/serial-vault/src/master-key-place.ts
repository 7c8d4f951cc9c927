import { existsSync } from 'node:fs';
import type { MasterKeySource } from '#libs/keyring';
import type { Secret } from '#libs/runtime';

/** Where the master key comes from (serial-vault.md 11.3). */
export interface MasterKeyPlace {
  /** What lies there now. */
  sources(): MasterKeySources;
  /** What somebody has to do before keys can be sealed anew. */
  readonly howToChange: string;
}

export interface MasterKeySources {
  readonly masterKey: MasterKeySource;
  /** Still open envelopes; empty but during a change. */
  readonly formerMasterKeys: readonly MasterKeySource[];
}

interface MasterKeySecrets {
  readonly MASTER_KEY_FILE?: Secret<string | undefined>;
  readonly MASTER_KEY?: Secret<string | undefined>;
  readonly MASTER_KEY_FORMER?: Secret<string | undefined>;
}

/** A file, or the secret itself in the environment; null: this process signs nothing. */
export function masterKeyPlace(secrets: MasterKeySecrets): MasterKeyPlace | null {
  const path = secrets.MASTER_KEY_FILE?.reveal();
  if (path !== undefined) return inFile(path);
  const secret = secrets.MASTER_KEY?.reveal();
  return secret === undefined ? null : inEnvironment(secret, secrets.MASTER_KEY_FORMER?.reveal());
}

/** The former one lies beside the file as long as keys may be sealed with it; read anew each time. */
function inFile(path: string): MasterKeyPlace {
  const former = `${path}.former`;
  return {
    sources: () => ({
      masterKey: { kind: 'file', path },
      formerMasterKeys: existsSync(former) ? [{ kind: 'file', path: former }] : [],
    }),
    howToChange:
      'put the new one into its file, and the former one beside it with .former at its end',
  };
}

/** Read once at the start: a change begins with another start. */
function inEnvironment(secret: string, former: string | undefined): MasterKeyPlace {
  const formerMasterKeys =
    former === undefined ? [] : [{ kind: 'secret', secret: former } as const];
  return {
    sources: () => ({ masterKey: { kind: 'secret', secret }, formerMasterKeys }),
    howToChange:
      'start the vault with the new one as MASTER_KEY and the former one as MASTER_KEY_FORMER',
  };
}
