import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  Blob,
  claimBlob,
  findDeltaTarget,
  insertDelta,
  listHeldSources,
  markDeltasLookedAt,
  type DeltaEnd,
  type DeltaVerdict,
} from '#libs/database';
import { BlobError, hashing, type Digests } from '#libs/storage';
import type { Resources } from '../../resources.js';
import { withLocalCopy } from '../uploads/local-copy.js';
import { applyDelta, encodeDelta, Xdelta3Failed } from './run-xdelta3.js';

/** Devices that nobody has heard of for so long update without. */
const SEEN_WITHIN_MS = 90 * 86_400_000;
/** Per target and look; those that most devices hold come first. */
const MOST_SOURCES = 10;
/** Above it nobody waits for the program, and devices take the whole file. */
const LARGEST_BYTES = 2 * 2 ** 30;
/** When it is over, the next look goes on. */
const BUDGET_MS = 10 * 60_000;

/** A delta that was made, in a file beside its ends. */
interface MadeDelta {
  readonly path: string;
  readonly digests: Digests;
}

/** What is to be done: a snap of a brand and the two ends. */
interface Order {
  readonly brandId: string;
  readonly snapId: string;
  readonly source: DeltaEnd;
  readonly target: DeltaEnd;
}

/** Makes deltas from what devices hold to what is released, where they are worth it (device-api.md 2.3). */
export class DeltaService {
  constructor(private readonly resources: Resources) {}

  /**
   * The job: each pair once, whatever comes of it. Killed anywhere, or out of time, it goes on where it was when it runs
   * again; without the program it does nothing, and nobody misses it but the network.
   */
  async make(brandId: string, snapId: string, revision: number): Promise<void> {
    const { db, settings, blobs } = this.resources;
    const { xdelta3 } = settings;
    const target = await db.asSystem((tx) => findDeltaTarget(tx, snapId, revision));
    const limits = { seenWithinMs: SEEN_WITHIN_MS, limit: MOST_SOURCES };
    const sources =
      target && xdelta3 !== undefined
        ? await db.asSystem((tx) => listHeldSources(tx, snapId, revision, limits))
        : [];
    if (target && xdelta3 !== undefined && sources.length > 0) {
      const end = performance.now() + BUDGET_MS;
      const isDone = await unlessLost(true, () =>
        withLocalCopy(blobs, target, async (path) => {
          for (const source of sources) {
            if (performance.now() > end) return false;
            const order = { brandId, snapId, source, target };
            const isTried = await unlessLost(false, () => this.makeOne(xdelta3, order, path));
            if (!isTried) await this.keep(order, 'failed');
          }
          return true;
        }),
      );
      if (!isDone) return;
    }
    await db.asSystem((tx) => markDeltasLookedAt(tx, snapId, revision));
  }

  /** Always true: whatever came of it is kept. */
  private async makeOne(program: string, order: Order, targetPath: string): Promise<boolean> {
    const { source, target } = order;
    if (Math.max(source.sizeBytes, target.sizeBytes) > LARGEST_BYTES) {
      await this.keep(order, 'too-large');
      return true;
    }
    return withLocalCopy(this.resources.blobs, source, async (sourcePath) => {
      const made = await encode(program, sourcePath, targetPath, target);
      if (typeof made === 'string') await this.keep(order, made);
      else await this.store(order, made);
      return true;
    });
  }

  /** The row of the blob comes before the file, unclaimed: whatever is left behind is swept as uploads are. */
  private async store(order: Order, { path, digests }: MadeDelta): Promise<void> {
    const { db, blobs } = this.resources;
    const { sizeBytes, sha3_384: sha3384, sha256 } = digests;
    const id = randomUUID();
    const storageKey = `deltas/${id}`;
    await db.asSystem((tx) => tx.insert(Blob, { id, storageKey, sha3384, sha256, sizeBytes }));
    await blobs.put(storageKey, createReadStream(path));
    await this.keep(order, 'made', { id, sha3384, sizeBytes });
  }

  /** Of two that come to the same at once, one leaves its blob to the sweeper. */
  private async keep(
    { brandId, snapId, source, target }: Order,
    verdict: DeltaVerdict,
    blob?: { readonly id: string; readonly sha3384: string; readonly sizeBytes: number },
  ): Promise<void> {
    await this.resources.db.asSystem(async (tx) => {
      const row = { brandId, snapId, source: source.revision, target: target.revision, verdict };
      const { id: blobId = null, sha3384 = null, sizeBytes = null } = blob ?? {};
      const isNew = await insertDelta(tx, { ...row, blobId, sha3384, sizeBytes });
      if (isNew && blobId !== null && !(await claimBlob(tx, blobId)))
        throw new Error(`cannot keep the delta ${blobId}: its blob was swept`);
    });
  }
}

/** What `work` gives, or `lost` where the bytes it needs are not in storage: they will not come by waiting. */
async function unlessLost(lost: boolean, work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BlobError && error.code === 'blob-not-found') return lost;
    throw error;
  }
}

/** A delta that saves less than 30 % is not worth its place, nor the work of the device (device-api.md 2.3). */
export const isWorthwhile = (deltaBytes: number, targetBytes: number): boolean =>
  deltaBytes * 10 <= targetBytes * 7;

/** The delta, or why there is none: applied again it must give the very bytes of the target. */
async function encode(
  program: string,
  source: string,
  target: string,
  { sizeBytes, sha3384 }: DeltaEnd,
): Promise<MadeDelta | 'failed' | 'too-large'> {
  const folder = dirname(source);
  const delta = join(folder, 'delta');
  const rebuilt = join(folder, 'rebuilt');
  try {
    await encodeDelta(program, { source, target, delta });
    if (!isWorthwhile((await stat(delta)).size, sizeBytes)) return 'too-large';
    await applyDelta(program, { source, target: rebuilt, delta });
  } catch (error) {
    if (error instanceof Xdelta3Failed) return 'failed';
    throw error;
  }
  if ((await digestsOf(rebuilt)).sha3_384 !== sha3384) return 'failed';
  return { path: delta, digests: await digestsOf(delta) };
}

async function digestsOf(path: string): Promise<Digests> {
  const hash = hashing();
  for await (const _ of hash.of(createReadStream(path)));
  return hash.digests;
}
