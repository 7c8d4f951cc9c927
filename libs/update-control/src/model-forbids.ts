import type { ModelPolicy, RevisionPolicy, SnapType } from './policy/snapshot.js';

/** A snap, or one revision of it, that somebody wants on a device of a model. */
export interface ModelSubject {
  readonly name: string;
  readonly type: SnapType;
  readonly confinement?: RevisionPolicy['confinement'] | undefined;
}

/**
 * What of it the model does not allow, in words; null when it allows all of it (update-control.md 2.3 step 1): a kernel, gadget
 * or base that it does not name, and classic confinement where the model is not classic.
 */
export function modelForbids(model: ModelPolicy, subject: ModelSubject): string | null {
  const { name, type, confinement } = subject;
  const isForbidden =
    (type === 'kernel' && model.kernel !== name) ||
    (type === 'gadget' && model.gadget !== name) ||
    (type === 'base' && model.bases !== null && !model.bases.includes(name));
  if (isForbidden) return `the ${type} ${name}`;
  return confinement === 'classic' && !model.isClassic ? 'classic confinement' : null;
}
