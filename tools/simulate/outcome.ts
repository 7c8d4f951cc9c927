import type { VirtualDevice, Fate } from './model/virtual-device.js';

/** How a rollout ended, or that it has not. `gate` in the words of the store. */
export type Verdict =
  | { readonly kind: 'running' | 'completed'; readonly wave: number }
  | { readonly kind: 'paused' | 'inconclusive'; readonly wave: number; readonly gate: string };

/** What devices come to, by how many. */
export type Counted = Readonly<Record<string, number>>;

/** What a run came to: what the store believed, and what became of the devices. */
export interface Outcome {
  readonly verdict: Verdict;
  /** From the begin, until the last wave was open, or nothing grew any more. */
  readonly hours: number;
  /** Hours at which each wave opened. */
  readonly openedAt: readonly number[];
  /** Share of the fleet that the release harmed, or will harm because it has it. */
  readonly harmed: number;
  readonly installed: number;
  /** Devices by the step at which the store believes them to be; `not offered` for the others. */
  readonly belief: Counted;
  /** Machines by what became of them. */
  readonly fates: Counted;
  /** Of each fate, what the store believed of those machines. */
  readonly believedOf: Readonly<Record<string, Counted>>;
}

/** `stepOf`: where the store believes a device to be, by its uid; undefined: it was never offered the target. */
export function outcomeOf(
  devices: readonly VirtualDevice[],
  stepOf: (uid: string) => string | undefined,
  run: Pick<Outcome, 'verdict' | 'hours' | 'openedAt'> & { readonly endMs: number },
): Outcome {
  const { endMs, ...known } = run;
  const belief: Record<string, number> = {};
  const believedOf: Partial<Record<Fate, Record<string, number>>> = {};
  const heard = new Set<string>();
  for (const device of devices) {
    const { uid } = device.traits;
    const step = stepOf(uid) ?? 'not offered';
    const steps = (believedOf[device.fateAt(endMs)] ??= {});
    steps[step] = (steps[step] ?? 0) + 1;
    // Two machines with one serial are one device to the store.
    if (!heard.has(uid)) belief[step] = (belief[step] ?? 0) + 1;
    heard.add(uid);
  }
  const share = (is: (device: VirtualDevice) => boolean): number =>
    devices.filter(is).length / devices.length;
  return {
    ...{ ...known, belief, believedOf },
    fates: Object.fromEntries(
      Object.entries(believedOf).map(([fate, steps]) => [
        fate,
        Object.values(steps).reduce((sum, count) => sum + count, 0),
      ]),
    ),
    harmed: share((device) => device.isHarmedAt(endMs) || device.isDoomed),
    installed: share(({ installedAt }) => installedAt !== null),
  };
}

/** What the store believed beside what became of the devices. */
export function outcomeRows({ belief, believedOf, harmed, installed }: Outcome): string[][] {
  return [
    ['the store believed', listed(belief)],
    ...Object.entries(believedOf).map(([fate, steps]) => {
      const count = Object.values(steps).reduce((sum, one) => sum + one, 0);
      return [`really ${fate}: ${count}`, `believed ${listed(steps)}`];
    }),
    ['installed it', `${(installed * 100).toFixed(2)} %`],
    ['harmed by it', `${(harmed * 100).toFixed(2)} %`],
  ];
}

export const listed = (counts: Counted): string =>
  Object.entries(counts)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');
