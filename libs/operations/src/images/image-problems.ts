import { header, type Assertion } from '#libs/assertions';
import type { RevisionDetails } from '#libs/database';
import type { WantedSnap } from './wanted-snaps.js';

/** What is known of a wanted snap. */
export interface SnapGround {
  readonly model: Assertion;
  readonly wanted: WantedSnap;
  /** Whether it exists for the model's store at all. */
  readonly isSeen: boolean;
  /** What the decision says. */
  readonly why: readonly string[];
  /** Of the revision that would be downloaded. */
  readonly details: RevisionDetails | null;
  /** All snaps of the image. */
  readonly names: ReadonlySet<string>;
}

/** In words, with the remedy. Pure. */
export function problemsOfSnap(ground: SnapGround): string[] {
  const { model, wanted, isSeen, why, details } = ground;
  const store = header(model, 'store');
  const where = store === '' ? 'in the public store' : `for store ${store}`;
  if (!isSeen) return [`there is no snap ${wanted.name} ${where}: ${remedy(wanted)}`];
  const channel = wanted.channel === null ? '' : ` in ${wanted.channel}`;
  if (!details)
    return [`nothing of ${wanted.name} is released${channel} for it: ${why.join('; ')}`];
  return CHECKS.flatMap((check) => check({ ...ground, details }) ?? []);
}

type Check = (ground: SnapGround & { readonly details: RevisionDetails }) => string | null;

const CHECKS: readonly Check[] = [
  ({ wanted, details }) =>
    wanted.snapId !== null && wanted.snapId !== details.snapId
      ? `the model names ${wanted.name} by id ${wanted.snapId}, here it is ${details.snapId}`
      : null,
  ({ wanted, details }) =>
    wanted.type !== null && wanted.type !== details.type
      ? `${wanted.name} is of type ${details.type}, the model wants ${wanted.type}`
      : null,
  ({ model, details }) => {
    const architecture = header(model, 'architecture');
    const runs = details.architectures.some((one) => one === 'all' || one === architecture);
    return runs || architecture === '' ? null : `${details.name} does not run on ${architecture}`;
  },
  // Image builders take gadget and kernel from the brand only, or from the vendor itself (decisions 1).
  ({ model, wanted, details }) => {
    const isOfDevice = wanted.as === 'gadget' || wanted.as === 'kernel';
    const isBrands = details.publisher.id === header(model, 'brand-id');
    return !isOfDevice || isBrands
      ? null
      : `${wanted.name} is published by ${details.publisher.username}: builders take a ${wanted.as} of the brand, or the vendor's own`;
  },
  ({ details, names }) => {
    const base = baseOf(details);
    return base === null || names.has(base)
      ? null
      : `${details.name} needs base ${base}, which the model does not bring: add it to the model`;
  },
];

/** What must be in the image for it to run. */
function baseOf({ type, base }: RevisionDetails): string | null {
  if (type !== 'app' && type !== 'gadget') return null;
  if (base === 'none') return null;
  return base ?? (type === 'app' ? 'core' : null);
}

function remedy({ as }: WantedSnap): string {
  if (as === 'snapd' || as === 'base')
    return 'import it ("brandstore import") into the public store and switch on the essential snaps of this one, or include it';
  return 'publish it in the store, include it from another one, or have it licensed';
}
