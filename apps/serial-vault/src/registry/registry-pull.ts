import { setTimeout as sleep } from 'node:timers/promises';
import { checkModel, decodeAssertion, header, AssertionError } from '#libs/assertions';
import { recordVaultAudit, VaultBrand, VaultModel, type Tx } from '#libs/database';
import { actorOf, type VaultPrincipal } from '../administration/token.service.js';
import { VaultError } from '../administration/vault-error.js';
import type { VaultResources } from '../resources.js';
import { importChain, readChain } from '../trust/import-assertions.js';
import { askStore, StoreSilent, type RegistryAnswer } from './ask-store.js';

/** What a pull did. */
export interface PullReport {
  /** Models that are new here or changed. */
  readonly taken: readonly string[];
  /** What was not taken, and why; what was known before still holds. */
  readonly notTaken: readonly string[];
}

interface Learnt {
  readonly name: string;
  readonly revision: number;
  readonly bytes: Buffer;
  readonly registryReason: string | null;
  /** Null: the brand's key signed it and holds. */
  readonly why: string | null;
}

/**
 * Takes models, ends of keys and deactivations from the store's registry (S12); policies and enrolment are this vault's own.
 * Without the store the vault goes on with what it learnt last.
 */
export class RegistryPull {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  /** Brand → what was said last: a lasting problem is logged once. */
  private readonly said = new Map<string, string>();

  constructor(private readonly resources: VaultResources) {}

  start(): void {
    if (this.resources.settings.storeUrl !== null) this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Takes the brand's part of the registry now, because somebody wants it. */
  async pullNow(who: VaultPrincipal, brandId: string): Promise<PullReport> {
    const report = await this.pull(brandId);
    await this.resources.db.asBrand(brandId, (tx) =>
      recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'pull-models',
        subject: brandId,
        detail: { ...report },
      }),
    );
    return report;
  }

  private async pull(brandId: string): Promise<PullReport> {
    let answer: RegistryAnswer;
    try {
      answer = await askStore(this.resources, 'models', brandId, {}, this.stopping.signal);
    } catch (error) {
      if (!(error instanceof StoreSilent)) throw error;
      return { taken: [], notTaken: [`cannot ask the store: ${error.message}`] };
    }
    const problems = await this.takeChain(answer.assertions);
    const { db } = this.resources;
    const learnt = await this.check(brandId, answer.models);
    const taken = await db.asBrand(brandId, async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('registry ' || $1))`, [brandId]);
      const changed: string[] = [];
      for (const one of learnt) if (await keep(tx, brandId, one)) changed.push(one.name);
      return changed;
    });
    const refused = learnt.filter(({ why }) => why !== null);
    return {
      taken,
      notTaken: [
        ...problems,
        ...refused.map(({ name, why }) => `cannot take model ${name}: ${why ?? ''}`),
      ],
    };
  }

  private async run(): Promise<void> {
    const { db, log, settings } = this.resources;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const brands = await db.asSystem((tx) => tx.find(VaultBrand));
        for (const { id } of brands) this.note(id, await this.pull(id));
      } catch (err) {
        if (!signal.aborted) log.error({ err }, 'cannot take models from the store');
      }
      await sleep(settings.modelsSeconds * 1000, undefined, { signal }).catch(() => undefined);
    }
  }

  private note(brandId: string, { taken, notTaken }: PullReport): void {
    const { log } = this.resources;
    if (taken.length > 0) log.info({ brandId, models: taken }, 'took models from the store');
    const text = notTaken.join('; ');
    if (text !== '' && this.said.get(brandId) !== text)
      log.warn({ brandId, notTaken }, 'not all models are as the store has them');
    this.said.set(brandId, text);
  }

  /** Ends of keys come as new revisions of their account-keys. */
  private async takeChain(text: string): Promise<string[]> {
    const { db, trust } = this.resources;
    try {
      const chain = readChain(text);
      const trusted = await trust.database();
      await db.asSystem((tx) => importChain(tx, trusted, chain, db.clock.now()));
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      return [error.message];
    }
    trust.forget();
    return [];
  }

  private async check(brandId: string, models: RegistryAnswer['models']): Promise<Learnt[]> {
    const { db, trust } = this.resources;
    const database = await trust.database();
    const learnt: Learnt[] = [];
    for (const { assertion, 'inactive-reason': registryReason } of models) {
      const model = readOrNull(assertion);
      // Signed by the store: what cannot be read is of a newer store, and no model of ours.
      if (model?.type !== 'model' || header(model, 'brand-id') !== brandId) continue;
      const verdict = checkModel({ model, database, now: db.clock.now() });
      const { revision, bytes } = model;
      const why = verdict.valid ? null : verdict.message;
      learnt.push({ name: header(model, 'model'), revision, bytes, registryReason, why });
    }
    return learnt;
  }
}

function readOrNull(text: string): ReturnType<typeof decodeAssertion> | null {
  try {
    return decodeAssertion(Buffer.from(text));
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    return null;
  }
}

/** @returns whether anything is other than before */
async function keep(tx: Tx, brandId: string, learnt: Learnt): Promise<boolean> {
  const { name: model, revision, bytes, registryReason, why } = learnt;
  const held = await tx.findOneBy(VaultModel, { brandId, model });
  const isNewer = why === null && (!held?.bytes || held.revision < revision);
  const isOther = held !== null && held.registryReason !== registryReason;
  if (!isNewer && !isOther) return false;
  const values = { ...(isNewer && { revision, bytes }), registryReason };
  if (held !== null) await tx.update(VaultModel, { brandId, model }, values);
  else await tx.insert(VaultModel, { brandId, model, revision, bytes, registryReason });
  await recordVaultAudit(tx, {
    brandId,
    actor: 'store',
    action: 'take-model',
    subject: model,
    detail: { revision: isNewer ? revision : held?.revision, inactiveReason: registryReason },
  });
  return true;
}
