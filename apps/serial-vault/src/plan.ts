import { moveInto, sweepOidcLogins, sweepRequestIds } from '#libs/database';
import type { AppPlan, HttpSurface } from '#libs/runtime';
import { vaultConfig } from './config.js';
import { EventSender } from './events/event-sender.js';
import { deviceSurface } from './http/device-surface.js';
import { machineSurface } from './http/machine-surface.js';
import { openVaultResources, type VaultGround } from './open-resources.js';
import { RegistryPull } from './registry/registry-pull.js';
import type { VaultResources } from './resources.js';
import { VaultModule } from './vault.module.js';

const SWEEP_MS = 60_000;

/** The vault as a process: devices and administration on one port, the sender of events beside them. */
export const vaultPlan: AppPlan<(typeof vaultConfig)['config'], (typeof vaultConfig)['secrets']> = {
  name: 'serial-vault',
  schema: vaultConfig,
  build: async (ground): Promise<HttpSurface[]> => {
    const resources = await openVaultResources(ground);
    const voided = await resources.db.asSystem(moveInto);
    // After a restore somebody should look: what was registered since the back-up is not known here (docs/keys.md).
    if (voided !== null) resources.alarm('restored', { voided });
    startBackground(resources, ground);
    return [
      {
        name: 'http',
        module: VaultModule.with(resources),
        port: ground.config.PORT,
        prepare: async (app) => {
          await app.register(machineSurface(resources));
          await app.register(deviceSurface(resources));
        },
      },
    ];
  },
};

function startBackground(resources: VaultResources, { shutdown, logger }: VaultGround): void {
  const sender = new EventSender(resources);
  sender.start();
  shutdown.add('event sender', () => sender.stop());
  const registry = new RegistryPull(resources);
  registry.start();
  shutdown.add('registry pull', () => registry.stop());
  const sweep = (): void => {
    resources.db
      .asSystem(async (tx) => {
        await sweepRequestIds(tx);
        await sweepOidcLogins(tx);
      })
      .catch((err: unknown) => logger.warn({ err }, 'cannot sweep what is over'));
  };
  sweep();
  const timer = setInterval(sweep, SWEEP_MS).unref();
  shutdown.add('sweeper', () => clearInterval(timer));
}
