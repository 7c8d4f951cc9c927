import type { AssertionDatabase } from '#libs/assertions';
import {
  appendSigningLogRows,
  dropKnownFormerLog,
  firstLostSubstore,
  formerLogAfter,
  keepFormerLogOf,
  recordVaultAudit,
  takeFormerDevices,
  takeFormerSubstores,
  type Tx,
} from '#libs/database';
import { actorOf, type VaultPrincipal } from '../administration/token.service.js';
import type { VaultResources } from '../resources.js';
import { ImportTally, type ImportReport } from './import-report.js';
import { dumpError } from './read-dump.js';
import { stageDump, type StagedDump } from './stage-dump.js';
import { takeAccounts, takeKeys } from './take-accounts.js';
import { takeModels } from './take-models.js';

const LOG_BATCH = 1000;
const OTHER_ACCOUNT = 'its account was not taken';

/** Ends the transaction of a dry run. */
class DryRunOver extends Error {
  constructor(readonly report: ImportReport) {
    super('rolled back on purpose');
  }
}

/** The move from a former vault, by a dump of its database (docs/former-vault.md). */
export class FormerVaultService {
  constructor(private readonly resources: VaultResources) {}

  /** All or nothing; without `apply` the same is done and taken back. What an import has brought before stays as it is. */
  async import(
    who: VaultPrincipal,
    lines: AsyncIterable<string>,
    apply: boolean,
  ): Promise<ImportReport> {
    const { db, trust } = this.resources;
    const trusted = await trust.database();
    try {
      return await db.asSystem(async (tx) => {
        const report = await this.take(tx, who, lines, trusted.overlaid(), apply);
        if (apply) return report;
        throw new DryRunOver(report);
      });
    } catch (error) {
      if (error instanceof DryRunOver) return error.report;
      throw error;
    } finally {
      trust.forget();
    }
  }

  private async take(
    tx: Tx,
    who: VaultPrincipal,
    lines: AsyncIterable<string>,
    trusted: AssertionDatabase,
    apply: boolean,
  ): Promise<ImportReport> {
    const { settings, db } = this.resources;
    const tally = new ImportTally();
    const dump = await stageDump(tx, lines, settings.pepper, tally);
    const lost = await firstLostSubstore(tx, dump.models);
    if (lost !== null)
      throw dumpError(lost, 'substore', 'no model of its account in the dump has this id');
    const now = db.clock.now();
    const brandIds = await takeAccounts(tx, dump.accounts, { trusted, now, tally });
    await takeKeys(tx, dump.keys, { trusted, now, tally });
    const models = dump.models.filter(({ brandId }) => brandIds.includes(brandId));
    tally.skip('model', OTHER_ACCOUNT, dump.models.length - models.length);
    await takeModels(tx, who, models, trusted, tally);
    await takeSubstores(tx, models, tally);
    await takeLog(tx, who, brandIds, tally);
    const report = tally.report(apply);
    await this.audit(tx, who, brandIds, dump, report);
    return report;
  }

  private async audit(
    tx: Tx,
    who: VaultPrincipal,
    brandIds: readonly string[],
    { models }: StagedDump,
    { tables }: ImportReport,
  ): Promise<void> {
    for (const brandId of brandIds) {
      const names = models.filter((one) => one.brandId === brandId).map(({ name }) => name);
      const taken = Object.fromEntries(tables.map((one) => [one.table, one.taken]));
      await recordVaultAudit(tx, {
        brandId,
        actor: actorOf(who),
        action: 'import-former-vault',
        subject: brandId,
        detail: { models: names, takenOfAllBrands: taken },
      });
    }
  }
}

/** One row for each device there, a rule for one serial here (serial-vault.md 10.2, 10.4). */
async function takeSubstores(
  tx: Tx,
  models: StagedDump['models'],
  tally: ImportTally,
): Promise<void> {
  const { taken, sameModel, known } = await takeFormerSubstores(tx, models);
  tally.count('substore', 'taken', taken);
  tally.count('substore', 'alreadyThere', known);
  tally.skip('substore', 'another store for the same model is no remodel', sameModel);
  tally.skipRest('substore', OTHER_ACCOUNT);
}

/** Comes last: rows of a brand wait for each other from the first one on. */
async function takeLog(
  tx: Tx,
  who: VaultPrincipal,
  brandIds: readonly string[],
  tally: ImportTally,
): Promise<void> {
  tally.skip('signinglog', OTHER_ACCOUNT, await keepFormerLogOf(tx, brandIds));
  tally.count('devices of the log', 'taken', await takeFormerDevices(tx));
  tally.count('signinglog', 'alreadyThere', await dropKnownFormerLog(tx));
  for (const brandId of brandIds) {
    let after = -1;
    for (;;) {
      const rows = await formerLogAfter(tx, brandId, after, LOG_BATCH);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.id;
      const entries = rows.map(({ model, serial, deviceKeyId, revision, at }) => ({
        ...{ model, serial, deviceKeyId, revision, at },
        outcome: 'imported' as const,
        operator: actorOf(who),
      }));
      await appendSigningLogRows(tx, brandId, entries);
      tally.count('signinglog', 'taken', rows.length);
    }
  }
}
