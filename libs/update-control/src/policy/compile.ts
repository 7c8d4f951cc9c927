import { contentHash } from '../canonical-json.js';
import { UpdateControlError } from '../errors.js';
import { indexTerm, parsePredicate } from '../predicates.js';
import type { Dictionary } from '../record.js';
import { dictionary, groupBy } from '../record.js';
import { compileRollouts } from './compile-rollouts.js';
import { assertOwnBrand, compileSnaps, sorted } from './compile-snaps.js';
import { compileOverlay } from './overlay.js';
import type { FleetRow, HoldRow, InclusionRow, ModelRow, PolicyRows, StoreRow } from './rows.js';
import type {
  FleetIndex,
  FleetPolicy,
  HoldIndex,
  HoldPolicy,
  PolicySettings,
  PolicySnapshot,
} from './snapshot.js';
import { RESOLVER_VERSION } from './snapshot.js';

const DEFAULT_SETTINGS: PolicySettings = {
  timezone: 'UTC',
  schedule: null,
  localOperatorBypass: 'none',
  giveUpAfter: 3,
};

/**
 * Makes the immutable snapshot of a brand from rows in any order; the same content gives the same `hash`. Throws UpdateControlError:
 * `foreign-brand`, `bad-predicate`, `bad-salt`, `fleet-priority-taken`.
 */
export function compilePolicy(rows: PolicyRows): PolicySnapshot {
  assertOwnBrand(rows);
  const rollouts = compileRollouts(rows.rollouts);
  const { timezone, schedule, localOperatorBypass, giveUpAfter } = {
    ...DEFAULT_SETTINGS,
    ...rows.settings,
  };
  const content = {
    resolverVersion: RESOLVER_VERSION,
    brandId: rows.brandId,
    settings: { timezone, schedule, localOperatorBypass, giveUpAfter },
    snaps: compileSnaps(rows, rollouts.byLane),
    stores: compileStores(rows.stores, rows.inclusions),
    models: compileModels(rows.models),
    fleets: compileFleets(rows.fleets),
    holds: compileHolds(rows.holds),
    sequences: rollouts.sequences,
  };
  const overlay = compileOverlay({
    version: rows.overlayVersion ?? 0,
    stops: rows.stops,
    rollouts: rows.rollouts,
  });
  return { ...content, version: rows.version, hash: contentHash(content), overlay };
}

function compileFleets(rows: readonly FleetRow[] | undefined): FleetIndex {
  const fleets = sorted(rows, (r) => r.id);
  if (new Set(fleets.map((f) => f.priority)).size < fleets.length) {
    throw new UpdateControlError(
      'fleet-priority-taken',
      'cannot compile policy: two fleets have the same priority',
    );
  }
  const policies: FleetPolicy[] = fleets.map(
    ({ id, name, priority, timezone, schedule, predicate }) => ({
      fleetId: id,
      name,
      priority,
      timezone: timezone ?? null,
      schedule: schedule ?? null,
      predicate: predicate === null || predicate === undefined ? null : parsePredicate(predicate),
    }),
  );
  const terms = policies.flatMap((fleet) => {
    const term = fleet.predicate && indexTerm(fleet.predicate);
    return term
      ? term.values.map((value) => ({
          fact: term.fact,
          value: String(value),
          fleetId: fleet.fleetId,
        }))
      : [];
  });
  const members = fleets.flatMap((f) =>
    f.predicate ? [] : (f.members ?? []).map((uid) => ({ uid, fleetId: f.id })),
  );
  return {
    byId: dictionary(policies.map((fleet) => [fleet.fleetId, fleet])),
    ofDevice: dictionary(
      [
        ...groupBy(
          sorted(members, (m) => m.uid),
          (m) => m.uid,
        ),
      ].map(([uid, list]) => [uid, list.map((m) => m.fleetId)]),
    ),
    byFact: dictionary(
      [...groupBy(terms, (t) => t.fact)].map(([fact, list]) => [
        fact,
        dictionary(
          [...groupBy(list, (t) => t.value)].map(
            ([value, same]) => [value, [...new Set(same.map((t) => t.fleetId))]] as const,
          ),
        ),
      ]),
    ),
    always: policies.filter((f) => f.predicate && !indexTerm(f.predicate)).map((f) => f.fleetId),
  };
}

function compileHolds(rows: readonly HoldRow[] | undefined): Dictionary<HoldIndex> {
  const toHold = ({ id, from, until, reason }: HoldRow): HoldPolicy => ({
    holdId: id,
    from,
    until,
    reason,
  });
  const file = (list: readonly HoldRow[], keyOf: (row: HoldRow) => string) =>
    dictionary([...groupBy(list, keyOf)].map(([key, holds]) => [key, holds.map(toHold)]));
  return dictionary(
    [
      ...groupBy(
        sorted(rows, (r) => r.id),
        (r) => r.snapId ?? '*',
      ),
    ].map(([snapId, list]) => {
      const of = (scope: HoldRow['scope']) => list.filter((r) => r.scope === scope);
      return [
        snapId,
        {
          brand: of('brand').map(toHold),
          fleets: file(of('fleet'), (r) => r.fleetId ?? ''),
          devices: file(of('device'), (r) => r.deviceUid ?? ''),
        },
      ];
    }),
  );
}

function compileStores(
  rows: readonly StoreRow[] | undefined,
  inclusions: readonly InclusionRow[] | undefined,
): PolicySnapshot['stores'] {
  const byStore = groupBy(
    sorted(inclusions, (r) => `${r.includedStoreId} ${r.snapId}`),
    (r) => r.storeId,
  );
  return dictionary(
    sorted(rows, (r) => r.id).map(({ id, allowPublic, essentialFrom }) => {
      const own = byStore.get(id) ?? [];
      return [
        id,
        {
          allowPublic,
          includesStores: own.filter((r) => r.snapId === null).map((r) => r.includedStoreId),
          includesSnaps: own.flatMap((r) => (r.snapId === null ? [] : [r.snapId])),
          essentialFrom: essentialFrom ?? null,
        },
      ];
    }),
  );
}

function compileModels(rows: readonly ModelRow[] | undefined): PolicySnapshot['models'] {
  return dictionary(
    sorted(rows, (r) => r.model).map(({ model, isClassic, kernel, gadget, bases }) => [
      model,
      { isClassic, kernel, gadget, bases },
    ]),
  );
}

/** Throws `newer-resolver` for a snapshot that this code may read wrongly (U69). */
export function assertUnderstood(policy: Pick<PolicySnapshot, 'resolverVersion'>): void {
  if (policy.resolverVersion > RESOLVER_VERSION) {
    throw new UpdateControlError(
      'newer-resolver',
      `cannot read policy of resolver version ${policy.resolverVersion}`,
      { understood: RESOLVER_VERSION },
    );
  }
}
