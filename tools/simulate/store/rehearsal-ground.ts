import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionKey } from '#libs/auth';
import { Database } from '#libs/database';
import { deviceSessionKey } from '#libs/operations';
import { projectRoot, startStack } from '#stack';
import { BrandAdmin } from '../../clients/brand-admin.js';
import { GraphQLClient } from '../../clients/graphql.js';
import { Publisher } from '../../clients/publisher.js';
import { startInstallation, type Installation } from '../../installation/index.js';
import { HOUR_MS } from '../model/traits.js';
import { DeviceWire } from './device-wire.js';
import { WorkerRounds } from './worker-rounds.js';

const SNAP = 'acme-dashboard';
const SNAPS_DIR = join(projectRoot, 'test', 'snaps');
const ROLES = ['admin', 'releaser', 'operator', 'publisher', 'approver'];
/** Requests at once: enough that the store is never idle, too few to make it shed. */
const WIDTH = 128;
/**
 * A store that lives through six hours in a minute hears in it what it would hear in six hours: it writes more often, and does not take
 * the rush for an overload.
 */
export const HASTE = { FLUSH_MS: '20', SHED_DELAY_MS: '60000', LOG_LEVEL: 'warn' };

/** What a plan would do to a hundred thousand devices is looked at when it is submitted. */
const PATIENCE_MS = 300_000;

interface Person {
  readonly email: string;
  readonly password: string;
}

/** A real store with a brand, two people and a snap of two revisions, in which fleets can be rehearsed. */
export class RehearsalGround {
  readonly rounds: WorkerRounds;
  readonly wire: DeviceWire;
  readonly snap = SNAP;
  private priority = 0;

  private constructor(
    readonly installation: Installation,
    readonly db: Database,
    readonly key: SessionKey,
    readonly brandId: string,
    readonly storeId: string,
    readonly snapId: string,
    private readonly people: { readonly planner: Person; readonly approver: Person },
  ) {
    this.rounds = new WorkerRounds(db, installation);
    this.wire = new DeviceWire(installation.storeUrl, WIDTH);
  }

  /** On an installation that runs and has nothing in it yet. */
  static async prepare(installation: Installation): Promise<RehearsalGround> {
    const graphql = new GraphQLClient(`${installation.storeUrl}/graphql`);
    const { operatorEmail, password = '' } = installation.store;
    const operator = await BrandAdmin.login(graphql, operatorEmail, password);
    const { brandId, storeId } = await operator.createBrand('acme', 'ACME Corp', 'acme-main');
    const hire = async (name: string): Promise<Person> => {
      const email = `${name}@acme.example`;
      const { password } = await operator.addPerson(brandId, email, name, ROLES);
      return { email, password };
    };
    const people = { planner: await hire('paula'), approver: await hire('aron') };
    const snapId = await publish(installation, people.planner);
    const planner = await BrandAdmin.login(graphql, people.planner.email, people.planner.password);
    await planner.protectLane(brandId, SNAP, 'latest/stable');
    const url = installation.databaseUrls.owner;
    const db = await Database.open({ url, room: 'store', applicationName: 'simulation' });
    const text = await readFile(installation.secrets.store, 'utf8');
    const key = deviceSessionKey({ secret: Buffer.from(text.trim(), 'base64') });
    return new RehearsalGround(installation, db, key, brandId, storeId, snapId, people);
  }

  get hasWorker(): boolean {
    return this.installation.processes.has('worker');
  }

  /** For good: nobody counts or judges any more. */
  async loseWorker(): Promise<void> {
    if (this.hasWorker) await this.installation.processes.kill('worker');
  }

  /** Each fleet has its own. */
  nextPriority(): number {
    this.priority += 1;
    return this.priority;
  }

  /** Logged in for what is done now: no session outlives the time that passes here. */
  logIn(who: 'planner' | 'approver'): Promise<BrandAdmin> {
    const { email, password } = this.people[who];
    const url = `${this.installation.storeUrl}/graphql`;
    return BrandAdmin.login(new GraphQLClient(url, undefined, PATIENCE_MS), email, password);
  }

  /** The next Monday, 0:00 of UTC: where in the week a run begins is the same each time. */
  nextMonday(): number {
    const now = this.db.clock.now().getTime();
    const week = 7 * 24 * HOUR_MS;
    // The epoch was a Thursday.
    const monday = 4 * 24 * HOUR_MS;
    return Math.ceil((now - monday) / week) * week + monday;
  }

  async stop(): Promise<void> {
    await this.wire.close();
    await this.db.close();
  }
}

/** Revision 1 on stable, revision 2 reviewed and signed, on no channel. Gives the snap's id. */
async function publish({ storeUrl }: Installation, { email, password }: Person): Promise<string> {
  const publisher = new Publisher(storeUrl);
  await publisher.login(email, password);
  const snapId = await publisher.register(SNAP);
  for (const [no, channels] of [
    [1, ['stable']],
    [2, []],
  ] as const) {
    const { problems } = await publisher.upload(SNAP, join(SNAPS_DIR, `${SNAP}_${no}.snap`), [
      ...channels,
    ]);
    if (problems.length > 0) throw new Error(`cannot publish ${SNAP}: ${problems.join('; ')}`);
  }
  return snapId;
}

/** Services and processes of its own for `work`; all of it is gone afterwards. */
export async function onOwnGround<T>(
  log: (line: string) => void,
  work: (ground: RehearsalGround) => Promise<T>,
): Promise<T> {
  const stack = await startStack({ ephemeral: true, log });
  try {
    const apps = ['store-api', 'worker'] as const;
    const installation = await startInstallation({ stack, apps, env: HASTE, log });
    try {
      const ground = await RehearsalGround.prepare(installation);
      try {
        return await work(ground);
      } finally {
        await ground.stop();
      }
    } finally {
      await installation.stop();
    }
  } finally {
    await stack.stop();
  }
}
