import type { Seen, StoredPreview } from '#libs/operations';
import {
  EXCLUSIONS,
  EXPLANATIONS,
  type Explanation,
  type PreviewSheet,
  type RolloutPreviewSheets,
} from '#libs/update-control';
import type { PreviewSheetType, RolloutPreviewType } from './preview.type.js';

const MEANINGS: Readonly<Record<string, Explanation>> = { ...EXPLANATIONS, ...EXCLUSIONS };

/** A preview for people; `seen` null: somebody who sees all fleets. */
export function toPreview(
  preview: RolloutPreviewSheets,
  seen: Seen | null,
  stored: StoredPreview | null = null,
): RolloutPreviewType {
  return {
    ...preview,
    hash: stored?.hash ?? null,
    createdAt: stored?.createdAt ?? null,
    waves: preview.waves.map((wave) => ({ ...wave, opensAt: new Date(wave.opensAt) })),
    curve: preview.curve.map(({ at, admitted }) => ({ at: new Date(at), admitted })),
    sheets: preview.sheets.map((sheet) => toSheet(sheet, seen)),
    factAges: [...preview.factAges],
    notes: [...preview.notes],
  };
}

/** Titles of rollouts of fleets that the reader must not know of are left out; how many devices they concern is no secret. */
function toSheet(sheet: PreviewSheet, seen: Seen | null): PreviewSheetType {
  const worded = <T extends { readonly code: string }>(
    counts: readonly T[],
  ): (T & { readonly meaning: string })[] =>
    counts.map((one) => ({ ...one, meaning: MEANINGS[one.code]?.meaning ?? one.code }));
  return {
    ...sheet,
    at: sheet.at === null ? null : new Date(sheet.at),
    outcomes: [...sheet.outcomes],
    reasons: worded(sheet.reasons),
    refused: worded(sheet.refused).map((one) => ({ ...one, outcome: null })),
    touchedBy: sheet.touchedBy.filter(
      ({ fleetId }) => seen === null || seen.fleets.includes(fleetId),
    ),
  };
}
