import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appMain, freePort, Processes } from '#stack';
import {
  certifiedKey,
  prepareVault,
  registerBrand,
  registerModel,
  startVault,
  type Administered,
  type PreparedVault,
  type RunningVault,
  type TestModel,
} from '../vault-kit.js';

type Change = Readonly<Record<string, string>>;

/** What most tests begin with: a vault that knows the brand, a key certified for it, and a model that signs with it. */
export interface VaultWithModel {
  readonly vault: RunningVault;
  readonly keyId: string;
  readonly model: TestModel;
}

export async function startVaultWithModel(
  name: string,
  change: Change = {},
): Promise<VaultWithModel> {
  const vault = await startVault(change);
  await registerBrand(vault);
  const keyId = await certifiedKey(vault);
  return { vault, keyId, model: await registerModel(vault, name, { signingKeyId: keyId }) };
}

/** A vault as a process of its own, which knows the brand. */
export interface VaultProcess {
  readonly vault: Administered;
  readonly prepared: PreparedVault;
  /** It is there as `serial-vault`. */
  readonly processes: Processes;
  /** What the process writes. */
  readonly logDir: string;
  stop(): Promise<void>;
}

export async function startVaultProcess(change: Change): Promise<VaultProcess> {
  const logDir = mkdtempSync(join(tmpdir(), 'vault-log-'));
  const port = await freePort();
  const prepared = await prepareVault({ PORT: String(port), ...change });
  const processes = new Processes({ logDir });
  await processes.start({
    name: 'serial-vault',
    script: appMain('serial-vault'),
    env: prepared.env,
    ready: 'message',
  });
  const vault = { url: `http://127.0.0.1:${port}`, token: prepared.token };
  await registerBrand(vault);
  return {
    ...{ vault, prepared, processes, logDir },
    stop: async () => {
      await processes.stopAll();
      await prepared.remove();
      rmSync(logDir, { recursive: true, force: true });
    },
  };
}
