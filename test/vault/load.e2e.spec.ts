import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  BRAND,
  certifiedKey,
  freshKey,
  query,
  register,
  registerBrand,
  registerModel,
  startVault,
  type RunningVault,
} from './vault-kit.js';

const DEVICES = 200;
const AT_ONCE = 8;

let vault: RunningVault;
beforeAll(async () => {
  vault = await startVault();
  await registerBrand(vault);
});
afterAll(() => vault?.stop());

it('200 devices with keys of 2048 bits register, eight at a time', async () => {
  const model = await registerModel(vault, 'acme-load', {
    signingKeyId: await certifiedKey(vault),
  });
  const keys = Array.from({ length: DEVICES }, freshKey);
  const times: number[] = [];
  const delay = monitorEventLoopDelay({ resolution: 10 });
  const queue = [...keys.entries()];
  delay.enable();
  const start = performance.now();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [index, key] = next;
        const begin = performance.now();
        const { status } = await register(vault, model, key, `LOAD-${index}`);
        times.push(performance.now() - begin);
        expect(status).toBe(200);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  delay.disable();
  times.sort((a, b) => a - b);
  const at = (share: number): number => Math.round(times[Math.floor(share * (DEVICES - 1))] ?? 0);
  console.log(
    `${DEVICES} registrations in ${seconds.toFixed(1)} s (${(DEVICES / seconds).toFixed(0)}/s), both calls p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
      `event loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(0)} ms (devices sign in the same process)`,
  );
  const { serials } = await query<{ serials: { items: unknown[] } }>(
    vault,
    vault.token,
    `{ serials(brand: "${BRAND}", model: "acme-load", pageSize: 500) { items { serial } } }`,
  );
  expect(serials.items).toHaveLength(DEVICES);
  // A sanity check on a shared machine, not the figure of serial-vault.md 16.
  expect(at(0.99)).toBeLessThan(5_000);
});
