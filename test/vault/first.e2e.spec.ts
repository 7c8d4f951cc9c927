import { afterAll, beforeAll, expect, it } from 'vitest';
import { certifiedKey, freshKey, register, registerBrand, registerModel, startVault, type RunningVault } from './vault-kit.js';
let vault: RunningVault;
beforeAll(async () => { vault = await startVault(); });
afterAll(() => vault?.stop());
it('works', async () => {
  await registerBrand(vault);
  const key = await certifiedKey(vault);
  const model = await registerModel(vault, 'acme-device-1', { signingKeyId: key });
  const a = await register(vault, model, freshKey(), 'A-1');
  console.log(a.status, a.text);
  expect(a.status).toBe(200);
});
