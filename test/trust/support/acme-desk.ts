import { writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { decodeAssertions, type Assertion } from '#libs/assertions';
import type { Program } from '../../../tools/stack/debian-package.js';
import { literal } from '../../admin/support/admin-store.js';
import { findSnapTool, type SnapRun, type SnapTool } from '../../assertions/snap-tool.js';
import { OwnSnapd, rootWithoutRights } from './own-snapd.js';
import { packSnap, squashfsTools } from './squashfs.js';
import type { SimpleWay } from './simple-way.js';

/** What `snap debug connectivity` of 2.57 asks the store for, whatever else is there. */
const CORE = `name: core
version: '16'
summary: core of ACME
description: core of ACME
type: os
architectures: [amd64]
confinement: strict
grade: stable
`;
/** The vendor's snapd has this slot by its id; another one by its declaration (docs/trust.md, "Tried with …"). */
const SNAPD_SLOTS = { 'shared-memory': { 'allow-installation': true } };
const REQUIRED = ['acme-base', 'acme-dashboard'];

/** Of Debian, and allowed here: what {@link AcmeDesk} is made of. */
export interface RealParts {
  readonly tool: SnapTool;
  readonly squashfs: Program;
  readonly asRoot: readonly string[];
}

/** @returns undefined where something of it cannot be had: see `NEEDS` */
export async function realParts(): Promise<RealParts | undefined> {
  const asRoot = rootWithoutRights();
  const tool = asRoot && findSnapTool();
  const squashfs = tool && (await squashfsTools());
  if (tool && squashfs) return { tool, squashfs, asRoot };
  tool?.remove();
  return undefined;
}

/** A desktop computer of ACME's with Debian's snapd, that trusts our root: a classic model with two required snaps. */
export class AcmeDesk {
  private constructor(
    private readonly way: SimpleWay,
    private readonly parts: RealParts,
    private readonly storeUrl: string,
    readonly snapd: OwnSnapd,
  ) {}

  /** Publishes what it needs; `storeUrl`: where the device finds the store, if it is not the store itself. */
  static async prepare(
    way: SimpleWay,
    parts: RealParts,
    storeUrl = way.world.url,
  ): Promise<AcmeDesk> {
    const { world, acme, store } = way;
    for (const name of ['snapd', ...REQUIRED, 'acme-control-plane'])
      await world.publish(acme, name);
    const env = { SNAPPY_FORCE_API_URL: storeUrl, UBUNTU_STORE_ID: acme.storeId };
    const snapd = OwnSnapd.make({ ...parts, root: way.trusted, env });
    await acme.publisher.register('core');
    const core = packSnap(parts.squashfs, snapd.path(), CORE);
    expect(await acme.publisher.upload('core', core, ['stable'])).toMatchObject({ revision: 1 });
    const reviewer = await store.addPerson('rita@acme.example', ['reviewer']);
    await reviewer.graphql.run(
      `mutation ($brand: ID!, $input: DeclarationInput!) {
        editSnapDeclaration(brand: $brand, snap: "snapd", input: $input, reason: "own snapd") { __typename } }`,
      { brand: acme.brandId, input: { slots: SNAPD_SLOTS } },
    );
    return new AcmeDesk(way, parts, storeUrl, snapd);
  }

  async stop(): Promise<void> {
    await this.snapd.stop();
    this.parts.tool.remove();
  }

  /** Runs it, and expects that nothing goes wrong. */
  async clean(command: string): Promise<string> {
    const run: SnapRun = await this.snapd.snap(...command.split(' '));
    expect([command, run.status, run.err]).toEqual([
      command,
      0,
      expect.not.stringMatching(/error|cannot/i),
    ]);
    return run.out;
  }

  async known(...query: string[]): Promise<Assertion[]> {
    return decodeAssertions(Buffer.from(await this.clean(`known ${query.join(' ')}`)));
  }

  /** Signs and registers the model, and makes the seed from which the device boots. */
  async seed(): Promise<void> {
    const { acme, world } = this.way;
    const classic = { classic: 'true', gadget: undefined, kernel: undefined };
    const model = await this.way.simpleModel(
      'desk',
      { ...classic, store: acme.storeId, 'required-snaps': REQUIRED },
      { signingKeyId: this.way.brandKey, enrolment: { assigned: true } },
    );
    const assertion = model.bytes.toString();
    await world.act(acme.admin, `registerModel(${this.ofAcme({ assertion })})`);
    const proxy = { store: acme.storeId, input: { url: this.storeUrl }, reason: 'own devices' };
    await world.act(acme.admin, `issueStoreAssertion(${this.ofAcme(proxy)})`);

    const file = this.snapd.path('desk.model');
    writeFileSync(file, model.bytes);
    const machine = this.snapd.path('machine');
    await this.clean(`prepare-image --classic --arch=amd64 ${file} ${machine}`);
  }

  /** From the seed: with the required snaps installed. */
  async boot(): Promise<void> {
    await this.snapd.boot();
    for (const name of [...REQUIRED, 'snapd'])
      expect(await this.clean('list')).toMatch(new RegExp(`^${name} .* 1 .* acme`, 'm'));
  }

  /** Where the store assertion says (docs/trust.md, "How the address reaches the device"). @returns the serial */
  async register(): Promise<Assertion | undefined> {
    const { acme } = this.way;
    await this.acknowledge('account', `account-id=${acme.brandId}`);
    await this.acknowledge('store', `store=${acme.storeId}`);
    await this.clean(`set system proxy.store=${acme.storeId}`);
    this.snapd.restart();
    await this.snapd.eventually('known serial', /^type: serial$/m);
    const [serial] = await this.known('serial');
    return serial;
  }

  /** By its timer, which is due; but a new machine puts it off for two hours, for its owner's sake. */
  async firstAutoRefresh(): Promise<void> {
    await this.clean('set system refresh.hold=2020-01-01T00:00:00Z');
  }

  /** Arguments of a mutation of ACME's. */
  private ofAcme(more: Record<string, unknown>): string {
    return literal({ brand: this.way.acme.brandId, ...more }).slice(1, -1);
  }

  /** The device takes it into its own database, as `snap ack` of a file does. */
  private async acknowledge(...query: string[]): Promise<void> {
    const file = this.snapd.path('to-acknowledge.assert');
    writeFileSync(file, await this.clean(`known --remote --direct ${query.join(' ')}`));
    await this.clean(`ack ${file}`);
  }
}
