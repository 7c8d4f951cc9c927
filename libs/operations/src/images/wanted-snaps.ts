import { header, type Assertion } from '#libs/assertions';
import type { SnapType } from '#libs/database';

export type WantedAs = 'gadget' | 'kernel' | 'base' | 'snapd' | 'required' | 'optional' | 'extra';

/** A snap that an image of a model is to hold. */
export interface WantedSnap {
  readonly name: string;
  readonly as: WantedAs;
  /** What it has to be; null: anything. */
  readonly type: SnapType | null;
  /** As the model names it; null: the default. */
  readonly channel: string | null;
  /** As the model fixes it; null: not at all. */
  readonly snapId: string | null;
}

const ROLE: Readonly<Record<string, readonly [WantedAs, SnapType]>> = {
  gadget: ['gadget', 'gadget'],
  kernel: ['kernel', 'kernel'],
  base: ['base', 'base'],
  core: ['base', 'os'],
  snapd: ['snapd', 'snapd'],
};

/**
 * What image builders put into an image of the model (assertions.md 9, model), each once: what it lists, the boot base and
 * snapd that it means without naming them, then the extras, written `name` or `name=channel`. Pure.
 */
export function wantedSnaps(model: Assertion, extras: readonly string[]): WantedSnap[] {
  const { snaps } = model.headers;
  const listed = Array.isArray(snaps) ? snaps.flatMap(ofEntry) : ofPlainModel(model);
  const extra = extras.map((text) => ({ ...named(text), as: 'extra', type: null }) as const);
  const all = [...listed, ...implied(model, listed), ...extra];
  return all.filter(({ name }, at) => all.findIndex((one) => one.name === name) === at);
}

/** One of the maps in `snaps`; the decoder has checked its form. */
function ofEntry(entry: unknown): WantedSnap[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const text = (key: string): string => {
    const value: unknown = (entry as Readonly<Record<string, unknown>>)[key];
    return typeof value === 'string' ? value : '';
  };
  const presence = text('presence') === 'optional' ? 'optional' : 'required';
  const [as, type] = ROLE[text('type')] ?? [presence, 'app'];
  const fixed = { channel: text('default-channel') || null, snapId: text('id') || null };
  return [{ name: text('name'), as, type, ...fixed }];
}

function ofPlainModel(model: Assertion): WantedSnap[] {
  const essential = (['gadget', 'kernel'] as const).flatMap((as) => {
    const text = header(model, as);
    return text === '' ? [] : [{ ...named(text), as, type: as }];
  });
  const required = model.headers['required-snaps'];
  const apps = (Array.isArray(required) ? required : []).map(
    (name) => ({ ...named(String(name)), as: 'required', type: null }) as const,
  );
  return [...essential, ...apps];
}

/** A model without base boots from `core`, which brings snapd along. */
function implied(model: Assertion, listed: readonly WantedSnap[]): WantedSnap[] {
  const base = header(model, 'base');
  const isPlainClassic = header(model, 'classic') === 'true' && !('snaps' in model.headers);
  if (isPlainClassic) return [];
  if (base === '') return [{ ...named('core'), as: 'base', type: 'os' }];
  const hasSnapd = listed.some(({ as }) => as === 'snapd');
  const snapd = { ...named('snapd'), as: 'snapd', type: 'snapd' } as const;
  return [{ ...named(base), as: 'base', type: 'base' }, ...(hasSnapd ? [] : [snapd])];
}

/** `pc=24` is track 24, `pc=24/edge` a channel. */
function named(text: string): Pick<WantedSnap, 'name' | 'channel' | 'snapId'> {
  const [name = '', channel] = text.split('=');
  return { name, channel: channel ?? null, snapId: null };
}
