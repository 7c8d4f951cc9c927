import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appMain, freePort, Processes } from '#stack';
import { prepareVault, type Administered } from '../vault/vault-kit.js';

export interface VaultProcess extends Administered {
  stop(): Promise<void>;
}

/** A vault as a process of its own: the types of its GraphQL and of the store's do not fit into one. */
export async function startVaultProcess(
  change: Readonly<Record<string, string>> = {},
): Promise<VaultProcess> {
  const port = await freePort();
  const prepared = await prepareVault({ PORT: String(port), ...change });
  const logDir = mkdtempSync(join(tmpdir(), 'vault-log-'));
  const processes = new Processes({ logDir });
  await processes.start({
    name: 'serial-vault',
    script: appMain('serial-vault'),
    env: prepared.env,
    ready: 'message',
  });
  return {
    url: `http://127.0.0.1:${port}`,
    token: prepared.token,
    stop: async () => {
      await processes.stopAll();
      await prepared.remove();
      rmSync(logDir, { recursive: true, force: true });
    },
  };
}
