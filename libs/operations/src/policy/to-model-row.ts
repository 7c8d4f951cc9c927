import { header, type Assertion, type HeaderMap } from '#libs/assertions';
import type { ModelRow } from '#libs/update-control';

/**
 * What a model allows (update-control.md 2.3 step 1; assertions.md 9, model). Only a model with `snaps` names its bases, and
 * one of grade dangerous takes others besides; models of the old kind leave the bases of their apps open.
 */
export function toModelRow(model: Assertion): ModelRow {
  const snaps = entriesOf(model.headers);
  const named = (type: string): string[] =>
    snaps.filter((snap) => snap['type'] === type).map(({ name }) => name as string);
  const isOpen = snaps.length === 0 || header(model, 'grade') === 'dangerous';
  return {
    brandId: header(model, 'brand-id'),
    model: header(model, 'model'),
    isClassic: header(model, 'classic') === 'true',
    kernel: named('kernel')[0] ?? withoutTrack(header(model, 'kernel')),
    gadget: named('gadget')[0] ?? withoutTrack(header(model, 'gadget')),
    bases: isOpen ? null : [...new Set([header(model, 'base'), ...named('base')])],
  };
}

function entriesOf({ snaps }: HeaderMap): HeaderMap[] {
  // A registered model is well formed: its snaps are maps.
  return Array.isArray(snaps) ? (snaps as HeaderMap[]) : [];
}

/** `pc-kernel=22` → `pc-kernel`. */
const withoutTrack = (text: string): string | null => text.split('=')[0] || null;
