import type { Reason } from '../decision.js';
import { canRead, epochText } from '../epochs.js';
import { isVisible } from '../entitlement.js';
import { modelForbids } from '../model-forbids.js';
import type { ModelPolicy, RevisionPolicy } from '../policy/snapshot.js';
import { own } from '../record.js';
import { isLower } from '../versions.js';
import type { Case, Rule } from './case.js';

/** Rule 1: the snap exists for this device, and the store knows what the device has. */
export const admissible: Rule = (c) => {
  const { device, policy } = c.poll;
  if (!isVisible(device, c.snap, policy, c.poll.t))
    return { outcome: 'NOT_FOUND', reason: { code: 'NOT_ENTITLED' } };
  const forbidden = forbiddenByModel(c);
  if (forbidden) return { outcome: 'NOT_FOUND', reason: forbidden };
  if (c.installed && !own(c.snap.revisions, c.installed.revision)) {
    return {
      outcome: 'NOT_FOUND',
      reason: { code: 'INSTALLED_UNKNOWN', detail: { revision: c.installed.revision } },
    };
  }
  return undefined;
};

/** A kernel, gadget or base which the device's model does not name. */
function forbiddenByModel(c: Case): Reason | undefined {
  const model = modelOf(c);
  if (!model || modelForbids(model, c.snap) === null) return undefined;
  return {
    code: 'MODEL_FORBIDS',
    detail: { model: c.poll.device.model ?? '', type: c.snap.type },
  };
}

/** Undefined for a model that is not registered: it forbids nothing. */
function modelOf({ poll: { device, policy } }: Case): ModelPolicy | undefined {
  return device.model === null ? undefined : own(policy.models, device.model);
}

/**
 * Why a revision is not in the admissible set A; undefined when it is. Leaves the reason once. A revision that is installed is judged
 * like any other: staying needs no permission.
 */
export function exclusionOf(c: Case, revision: number): Reason | undefined {
  const known = c.excluded?.get(revision);
  if (known) return known;
  const reason = judge(c, revision);
  if (reason) {
    (c.excluded ??= new Map()).set(revision, reason);
    c.reasons.push(reason);
  }
  return reason;
}

function judge(c: Case, revision: number): Reason | undefined {
  const facts = own(c.snap.revisions, revision);
  if (!facts) return { code: 'NO_SUCH_REVISION', detail: { revision } };
  if (facts.isYanked) return { code: 'YANKED', detail: { revision } };
  const stop = own(c.poll.policy.overlay.stops.revisions, `${c.snap.snapId}/${revision}`)?.[0];
  if (stop) {
    return {
      code: 'STOPPED',
      rule: { kind: 'stop', id: stop.stopId },
      detail: { scope: 'revision', revision, level: stop.level, reason: stop.reason },
    };
  }
  if (revision === c.rolledBack) return { code: 'ROLLED_BACK', detail: { revision } };
  return unfit(c, revision, facts);
}

/** What the device itself cannot take. */
function unfit(c: Case, revision: number, facts: RevisionPolicy): Reason | undefined {
  const { device } = c.poll;
  if (!facts.architectures.includes('all') && !facts.architectures.includes(device.architecture)) {
    return { code: 'WRONG_ARCHITECTURE', detail: { revision, architecture: device.architecture } };
  }
  const model = modelOf(c);
  const { type, name } = c.snap;
  const { confinement } = facts;
  if (model && modelForbids(model, { type, name, confinement }) !== null) {
    return {
      code: 'MODEL_FORBIDS',
      detail: { revision, model: device.model ?? '', confinement },
    };
  }
  if (facts.minSnapd && c.poll.snapdVersion && isLower(c.poll.snapdVersion, facts.minSnapd)) {
    return {
      code: 'SNAPD_TOO_OLD',
      detail: { revision, needs: facts.minSnapd.join('.'), has: device.snapdVersion ?? '' },
    };
  }
  if (c.installed && !canRead(facts.epoch, c.installed.epoch)) {
    const detail = {
      revision,
      epoch: epochText(facts.epoch),
      installed: epochText(c.installed.epoch),
    };
    return { code: 'EPOCH_UNREADABLE', detail };
  }
  return undefined;
}
