import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { defaultDataDir, startStack, type Stack } from '#stack';
import { type Installation, startInstallation } from '../installation/index.js';

const say = (line = ''): void => void process.stdout.write(`${line}\n`);

/** `npm start`: services, store, worker and vault, until Ctrl-C. Data is kept; services given by URL are used instead of our own. */
export async function main(): Promise<number> {
  const dir = defaultDataDir();
  const isFirst = !existsSync(join(dir, 'installation'));
  mkdirSync(dir, { recursive: true });
  say(`Data in ${dir}${isFirst ? ' (new)' : ''}`);
  const ended = new Promise<string>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve(signal));
  });
  const stack = await startStack({ dir, log: say });
  let crashed: (why: string) => void = () => {};
  const crash = new Promise<string>((resolve) => (crashed = resolve));
  try {
    const installation = await startInstallation({
      stack,
      dir: join(dir, 'installation'),
      log: say,
      onUnexpectedExit: (name, why) => crashed(`${name} ${why}`),
    });
    announce(installation, stack, dir);
    const why = await Promise.race([ended, crash]);
    say(`\nStopping (${why}) …`);
    await installation.stop();
    return why.startsWith('SIG') ? 0 : 1;
  } finally {
    await stack.stop();
    say('Stopped.');
  }
}

function announce(
  { storeUrl, vaultUrl, ports, store, vault }: Installation,
  stack: Stack,
  dir: string,
): void {
  say();
  for (const { service, backend, detail } of stack.describe())
    say(`${service.padEnd(9)} ${backend}: ${detail}`);
  say();
  say(`Store     ${storeUrl}           what snapd and snapcraft talk to`);
  say(`Console   ${storeUrl}/graphql   the brand's GraphQL`);
  say(`Vault     ${vaultUrl}           device registration, and its GraphQL at /graphql`);
  say(`Health    http://127.0.0.1:${ports.storeOps}/health/ready   (metrics at /metrics)`);
  say(`Logs      ${join(dir, 'installation', 'log')}`);
  if (store.password !== undefined) {
    say();
    say('Shown once, keep it safe:');
    say(`  operator      ${store.operatorEmail}   password ${store.password}`);
    if (vault.token !== undefined) say(`  vault token   ${vault.token}`);
    say(`  root key      ${store.rootKeyFile}`);
    if (store.rootPassphrase !== undefined) say(`  its passphrase ${store.rootPassphrase}`);
    say('  The root key is not needed to run the store. Take that file off this machine now.');
  }
  say();
  say('Ctrl-C stops everything.');
}

process.exitCode = await main();
