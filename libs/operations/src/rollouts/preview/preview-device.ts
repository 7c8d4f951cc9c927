import {
  EXCLUSIONS,
  reasonText,
  type Decision,
  type DeviceFacts,
  type ExclusionCode,
  type PolicySnapshot,
  type PreviewedDevice,
  type RolloutPlan,
} from '#libs/update-control';
import type { KnownDevice } from '../../devices/device-directory.js';
import { decideOn } from '../../policy/decision.service.js';
import type { DeviceRequests } from '../../policy/device-requests.js';
import { decideSequence } from '../../policy/sequence.service.js';
import { toContext, toInstalled } from '../../policy/poll.js';

/** One instant under one policy. `t` in ms. */
export interface PreviewMoment {
  readonly plan: RolloutPlan;
  readonly policy: PolicySnapshot;
  readonly t: number;
  /** Windows and freezes come and go: what is asked is whom the plan reaches in the end. */
  readonly isWindowless: boolean;
}

/** What the device would be answered at that moment by its next automatic refresh, or why it is not asked about. */
export async function previewDevice(
  device: KnownDevice,
  facts: DeviceFacts,
  moment: PreviewMoment,
  requests: DeviceRequests,
): Promise<PreviewedDevice> {
  const { plan, policy, t, isWindowless } = moment;
  const deviceUid = device.uid;
  if (device.reported === null) return excluded(deviceUid, 'NEVER_REPORTED');
  if (plan.target.kind === 'sequence') return previewSequence(device, facts, moment);
  const snap = policy.snaps[plan.target.snapId];
  const asked = snap && (await requests.ofDevice(device.reported, snap));
  if (!asked?.own) return excluded(deviceUid, 'NOT_INSTALLED');
  const options = isWindowless ? ({ without: ['window'] } as const) : {};
  const decision = decideOn({ device: facts, request: asked.request, policy, t }, options);
  return previewed(deviceUid, decision, asked.own.revision);
}

function previewed(deviceUid: string, decision: Decision, installed: number): PreviewedDevice {
  const { outcome, revision, reasons } = decision;
  return {
    deviceUid,
    outcome,
    // Every decision has a reason (U97).
    code: reasons[0]?.code ?? 'UP_TO_DATE',
    revision: outcome === 'UPDATE' ? (revision ?? null) : null,
    installed,
    codes: reasons.map(({ code }) => code),
    sentences: reasons.map(reasonText),
  };
}

/** A sequence is no revision: it is offered, or the one for everybody stays. */
function previewSequence(
  { uid, reported }: KnownDevice,
  facts: DeviceFacts,
  { plan: { target }, policy, t }: PreviewMoment,
): PreviewedDevice {
  if (target.kind !== 'sequence') throw new Error('internal error: no sequence is rolled out');
  const context = toContext(toInstalled(reported?.snaps ?? {}));
  const { accountId, setName } = target;
  const request = { accountId, setName, reported: null, baseline: 0, context };
  const { sequence, reasons } = decideSequence(facts, request, policy, t);
  const isReached = sequence === target.sequence;
  return {
    deviceUid: uid,
    outcome: isReached ? 'UPDATE' : 'STAY',
    code: reasons[0]?.code ?? 'NOT_IN_WAVE',
    revision: isReached ? sequence : null,
    installed: null,
    codes: reasons.map(({ code }) => code),
    sentences: reasons.map(reasonText),
  };
}

function excluded(deviceUid: string, code: ExclusionCode): PreviewedDevice {
  const sentences = [EXCLUSIONS[code].meaning];
  return {
    ...{ deviceUid, outcome: 'EXCLUDED', code, revision: null, installed: null },
    ...{ codes: [code], sentences },
  };
}
