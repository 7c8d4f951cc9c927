import { admissible } from './admissible.js';
import { baseline } from './baseline.js';
import type { Rule } from './case.js';
import { cohort } from './cohort.js';
import { downgrade } from './downgrade.js';
import { explicit } from './explicit.js';
import { floor } from './floor.js';
import { hold } from './hold.js';
import { memory } from './memory.js';
import { nothingNew } from './nothing-new.js';
import { pin } from './pin.js';
import { prerequisite } from './prerequisite.js';
import { refreshControl } from './refresh-control.js';
import { rollout } from './rollout.js';
import { shed } from './shed.js';
import { stop } from './stop.js';
import { validationSet } from './validation-set.js';
import { window } from './window.js';

export interface RuleRow {
  /** Number of the step in update-control.md 2.3. */
  readonly step: number;
  readonly name: RuleName;
  /** What it does when it bites. */
  readonly effect: string;
  readonly rule: Rule;
}

export type RuleName =
  | 'admissible'
  | 'stop'
  | 'validation-set'
  | 'hold'
  | 'explicit'
  | 'pin'
  | 'cohort'
  | 'rollout'
  | 'baseline'
  | 'nothing-new'
  | 'floor'
  | 'prerequisite'
  | 'refresh-control'
  | 'memory'
  | 'window'
  | 'downgrade'
  | 'shed';

/**
 * Why a device gets a revision or stays: read from top to bottom, the first rule that decides, decides. Rules 2–5 decide at once;
 * 6–9 propose a candidate, the first proposal stands; 10–16 examine it. What passes all of them is offered.
 */
export const RULES: readonly RuleRow[] = [
  {
    step: 1,
    name: 'admissible',
    effect: 'not entitled, forbidden by the model: the snap does not exist',
    rule: admissible,
  },
  { step: 2, name: 'stop', effect: 'emergency stop: stays', rule: stop },
  {
    step: 3,
    name: 'validation-set',
    effect: 'an enforced set names the revision: that one or none',
    rule: validationSet,
  },
  { step: 4, name: 'hold', effect: 'held by brand, fleet or device: stays', rule: hold },
  {
    step: 5,
    name: 'explicit',
    effect: 'a revision was asked for: that one or none',
    rule: explicit,
  },
  { step: 6, name: 'pin', effect: 'proposes the pinned revision; above it: stays', rule: pin },
  {
    step: 7,
    name: 'cohort',
    effect: 'proposes the lane as it was; a key of somebody else: nothing',
    rule: cohort,
  },
  {
    step: 8,
    name: 'rollout',
    effect: 'proposes the target if the wave admits the device',
    rule: rollout,
  },
  {
    step: 9,
    name: 'baseline',
    effect: 'proposes the baseline of the fleet, else of the lane',
    rule: baseline,
  },
  {
    step: 9,
    name: 'nothing-new',
    effect: 'nothing was proposed, or what is installed: stays',
    rule: nothingNew,
  },
  {
    step: 10,
    name: 'floor',
    effect: 'replaces the candidate by the next floor or epoch hop',
    rule: floor,
  },
  {
    step: 11,
    name: 'prerequisite',
    effect: 'another snap must come first: stays',
    rule: prerequisite,
  },
  {
    step: 12,
    name: 'refresh-control',
    effect: 'a gating snap has not validated it: stays',
    rule: refreshControl,
  },
  { step: 13, name: 'memory', effect: 'failed three times or reverted here: stays', rule: memory },
  {
    step: 14,
    name: 'window',
    effect: 'outside the window, or frozen: stays until then',
    rule: window,
  },
  {
    step: 15,
    name: 'downgrade',
    effect: 'older in lane order without authority: stays',
    rule: downgrade,
  },
  { step: 16, name: 'shed', effect: 'the node is overloaded: stays for now', rule: shed },
];
