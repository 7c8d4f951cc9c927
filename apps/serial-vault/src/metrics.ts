import type { Metrics } from '#libs/runtime';

/** What the vault counts besides HTTP requests (serial-vault.md 16). Labels name outcomes and situations, never devices or keys. */
export interface VaultMetrics {
  readonly registrations: ReturnType<typeof registrations>;
  readonly signSeconds: ReturnType<typeof signSeconds>;
  readonly eventsSent: ReturnType<typeof eventsSent>;
}

const registrations = (metrics: Metrics) =>
  metrics.counter('vault_registrations_total', 'Registrations by outcome and code', [
    'outcome',
    'code',
  ]);
const signSeconds = (metrics: Metrics) =>
  metrics.histogram('vault_sign_seconds', 'Time for one serial assertion in the signer');
const eventsSent = (metrics: Metrics) =>
  metrics.counter('vault_events_total', 'Events for the store by result', ['result']);

export function createVaultMetrics(metrics: Metrics): VaultMetrics {
  return {
    registrations: registrations(metrics),
    signSeconds: signSeconds(metrics),
    eventsSent: eventsSent(metrics),
  };
}
