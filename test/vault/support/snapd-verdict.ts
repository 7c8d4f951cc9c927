import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Assertion } from '#libs/assertions';
import type { SnapTool } from '../../assertions/snap-tool.js';
import { withOurRoot } from '../../trust/support/with-our-root.js';

/**
 * What snapd's own Go library says of a serial: Debian's `snap` program, trusting our root, checks a seed of an image in whose
 * assertions it lies (`snap debug validate-seed` decodes each one, follows it to the root and verifies its signature).
 */
export class SnapdVerdict {
  private readonly program: SnapTool;

  /**
   * @param root account and account-key that the program is made to trust
   * @param chain what the seed needs besides serials: accounts, account-keys, and the model of a classic device
   */
  constructor(
    private readonly tool: SnapTool,
    root: readonly Assertion[],
    private readonly chain: readonly Assertion[],
  ) {
    const copy = join(tool.folder, 'snap-own-root');
    withOurRoot(tool.program, root, copy);
    this.program = tool.of(copy);
  }

  /** The empty text: accepted. */
  async on(serial: Buffer): Promise<string> {
    const seed = join(this.tool.folder, 'seed');
    rmSync(seed, { recursive: true, force: true });
    mkdirSync(join(seed, 'assertions'), { recursive: true });
    writeFileSync(join(seed, 'seed.yaml'), 'snaps: []\n');
    const all = [...this.chain.map(({ bytes }) => bytes), serial];
    for (const [index, bytes] of all.entries())
      writeFileSync(join(seed, 'assertions', `${index}.assert`), bytes);
    const { status, err } = await this.program.run(
      ['debug', 'validate-seed', join(seed, 'seed.yaml')],
      {},
    );
    return status === 0 ? '' : err;
  }
}
