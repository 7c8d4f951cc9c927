import type { DecidedAction } from '../policy/decision.service.js';
import { decideSequence } from '../policy/sequence.service.js';

/**
 * The rollout that an answer came from, if one did: of the snap itself, or of a sequence of a set that pins it and that the
 * device enforces by now (update-control.md 2.9).
 */
export function rolloutBehind({ action, decision, basis }: DecidedAction): string | null {
  const { revision, reasons = [] } = decision ?? {};
  const admitted = reasons.find(({ code }) => code === 'ROLLOUT_ADMITTED');
  if (admitted?.rule && admitted.detail?.['target'] === revision) return admitted.rule.id;
  if (basis === null || !reasons.some(({ code }) => code === 'VSET_REQUIRED')) return null;
  const { device, request, policy, t } = basis;
  for (const key of action.validationSets ?? []) {
    const [, accountId = '', setName = '', sequence] = key.split('/');
    const asked = { accountId, setName, reported: null, baseline: 0, context: request.context };
    const led = decideSequence(device, asked, policy, t);
    const by = led.reasons.find(({ code }) => code === 'ROLLOUT_ADMITTED');
    if (by?.rule && led.sequence === Number(sequence)) return by.rule.id;
  }
  return null;
}
