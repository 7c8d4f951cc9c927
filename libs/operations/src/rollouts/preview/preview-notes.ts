import type { RolloutPlan, RolloutPreviewSheets } from '#libs/update-control';

/** Sentences that stand in a preview, so that whoever approves has read them (update-control.md 2.4, 2.8, 2.10). */
export function notesOf(
  { isRollback, replaces, onFail }: RolloutPlan,
  {
    population,
    factAges,
    sheets,
  }: Pick<RolloutPreviewSheets, 'population' | 'factAges' | 'sheets'>,
): string[] {
  const isBack = isRollback || replaces !== null;
  const impossible = sheets.at(-1)?.impossible ?? 0;
  const old = factAges
    .filter(({ age }) => age === 'under 30 days' || age === '30 days or more')
    .reduce((sum, { devices }) => sum + devices, 0);
  const never = factAges.find(({ age }) => age === 'never')?.devices ?? 0;
  return [
    ...(onFail === 'rollback'
      ? ['a wave that fails leads everybody back without another approval: this one stands for it']
      : []),
    ...(isBack || onFail === 'rollback'
      ? [
          'data is carried forward, not restored: the older revision runs on what the newer one has written; only "snap revert" on a device brings its old data back',
        ]
      : []),
    ...(isBack && impossible > 0
      ? [`${impossible} devices cannot go back: the older revision cannot read their data (epoch)`]
      : []),
    'admission is a right to be offered: with the default timer half of the admitted devices poll within 3 hours, nearly all within 8, every one within 12',
    ...(population === 0 ? ['the fleet has no devices'] : []),
    ...(old > 0 ? [`${share(old, population)} of the facts are older than 7 days`] : []),
    ...(never > 0 ? [`${never} devices have not reported yet`] : []),
  ];
}

const share = (part: number, of: number): string => `${Math.round((100 * part) / of)} %`;
