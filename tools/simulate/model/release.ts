/** What a revision does to some of the devices that take it. */
export interface Fault {
  /** Of the devices that `architecture` and `region` leave; in [0, 1]. */
  readonly share: number;
  readonly architecture?: string;
  readonly region?: string;
  /**
   * `bricks`: silent for ever. `reverts`: goes back by itself. `fails`: the installation breaks off after the assertion was fetched.
   * `refuses`: does not even download, as with a full disk.
   */
  readonly effect: 'bricks' | 'reverts' | 'fails' | 'refuses';
  /** Hours after the installation, or when the device starts the next time; says nothing for `fails` and `refuses`. */
  readonly after: number | 'next reboot';
}

/** A revision as it really is; the store learns of it by what devices do. */
export interface Release {
  readonly name: string;
  readonly faults: readonly Fault[];
}

export const GOOD: Release = { name: 'good', faults: [] };

/** Eight ways in which a revision is bad; none of them is known before somebody has it. */
export const BAD_RELEASES: readonly Release[] = [
  { name: 'bricks at once', faults: [{ share: 1, effect: 'bricks', after: 0 }] },
  {
    name: 'bricks arm64 only',
    faults: [{ share: 1, architecture: 'arm64', effect: 'bricks', after: 0 }],
  },
  {
    name: 'bricks at the next reboot',
    faults: [{ share: 1, effect: 'bricks', after: 'next reboot' }],
  },
  { name: 'slow poison, 2 %', faults: [{ share: 0.02, effect: 'bricks', after: 6 }] },
  { name: 'reverts', faults: [{ share: 1, effect: 'reverts', after: 0.5 }] },
  { name: 'disk full on half of them', faults: [{ share: 0.5, effect: 'refuses', after: 0 }] },
  {
    name: 'bricks one region',
    faults: [{ share: 1, region: 'west', effect: 'bricks', after: 0 }],
  },
  { name: 'crashes after 30 hours', faults: [{ share: 1, effect: 'bricks', after: 30 }] },
];
