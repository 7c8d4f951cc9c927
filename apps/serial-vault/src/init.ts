import { initVault } from './init-vault.js';

// One line of JSON on standard output, for whoever sets an installation up (ARCHITECTURE.md).
try {
  process.stdout.write(`${JSON.stringify(await initVault(process.env))}\n`);
} catch (error) {
  const why = error instanceof Error ? error.message : String(error);
  process.stderr.write(`serial-vault init: ${why}\n`);
  process.exitCode = 1;
}
