import progress from 'cli-progress';
import { durationText } from '#libs/plan-file';
import { facts, table } from '../output.js';

/** What is asked of a preview, new or stored. */
export const PREVIEW = `
  planHash hash createdAt policyVersion population notes
  waves { no name k rampSeconds opensAt } curve { at admitted } factAges { age devices }
  sheets { at impossible touchedDevices touchedBy { title devices } bytesFull bytesDelta
    outcomes { outcome devices } reasons { outcome code meaning devices } refused { code meaning devices } }`;

interface Count {
  readonly outcome: string;
  readonly code: string;
  readonly meaning: string;
  readonly devices: number;
}

interface Sheet {
  readonly at: string | null;
  readonly impossible: number;
  readonly touchedDevices: number;
  readonly touchedBy: readonly { readonly title: string; readonly devices: number }[];
  readonly bytesFull: number;
  readonly bytesDelta: number;
  readonly outcomes: readonly Pick<Count, 'outcome' | 'devices'>[];
  readonly reasons: readonly Count[];
  readonly refused: readonly Omit<Count, 'outcome'>[];
}

export interface PreviewView {
  readonly planHash: string;
  /** Of a stored one. */
  readonly hash: string | null;
  readonly population: number;
  readonly notes: readonly string[];
  readonly waves: readonly {
    readonly no: number;
    readonly name: string | null;
    readonly k: number;
    readonly rampSeconds: number;
    readonly opensAt: string;
  }[];
  readonly curve: readonly { readonly at: string; readonly admitted: number }[];
  readonly factAges: readonly { readonly age: string; readonly devices: number }[];
  readonly sheets: readonly Sheet[];
}

const CHART_WIDTH = 40;

/** A preview for a terminal: waves, the curve as a small chart, and each sheet as a table. */
export function previewText(preview: PreviewView): string {
  const { population, waves, factAges, notes, planHash, hash } = preview;
  const ages = factAges
    .filter(({ devices }) => devices > 0)
    .map(({ age, devices }) => `${age}: ${devices}`);
  return [
    facts({ devices: population, 'facts are': ages.join(', ') }),
    table(
      ['wave', 'opens', 'within', 'devices'],
      waves.map(({ no, name, k, rampSeconds, opensAt }) => [
        name ? `${no} ${name}` : no,
        opensAt,
        rampSeconds === 0 ? 'at once' : durationText(rampSeconds),
        k,
      ]),
    ),
    chartText(preview),
    ...preview.sheets.flatMap((sheet) => sheetText(sheet, population)),
    ...notes.map((note) => `- ${note}`),
    facts({ 'plan hash': planHash, ...(hash !== null && { 'preview hash': hash }) }),
  ].join('\n');
}

/** One bar for each point of the admission curve. */
function chartText({ curve, population }: PreviewView): string {
  const options = {
    barsize: CHART_WIDTH,
    barGlue: '',
    barCompleteString: '█'.repeat(CHART_WIDTH),
    barIncompleteString: '·'.repeat(CHART_WIDTH),
  };
  const rows = curve.map(({ at, admitted }) => {
    const share = population === 0 ? 0 : Math.min(1, admitted / population);
    const bar = progress.Format.BarFormat(share, options);
    return `${at.slice(0, 16)}Z  ${bar}  ${admitted}`;
  });
  // Where a wave is admitted at once, its end is the beginning of the next.
  const drawn = rows.filter((row, index) => row !== rows[index - 1]);
  return ['admitted, if every wave passes as soon as it may:', ...drawn].join('\n');
}

function sheetText(sheet: Sheet, population: number): string[] {
  const { at, reasons, refused, bytesFull, bytesDelta, touchedDevices, touchedBy } = sheet;
  const title = at === null ? 'in the end, windows aside' : `at ${at}`;
  const rows = reasons.map(({ outcome, code, meaning, devices }) => [
    outcome,
    devices,
    population === 0 ? '' : `${((100 * devices) / population).toFixed(1)} %`,
    meaning,
    code,
  ]);
  const touching = touchedBy.map((one) => `“${one.title}” (${one.devices})`).join(', ');
  return [
    `${title}:`,
    table(['outcome', 'devices', 'share', 'because', 'code'], rows),
    facts({
      'to download': `${megabytes(bytesFull)}, with deltas ${megabytes(bytesDelta)}`,
      ...(refused.length > 0 && {
        'cannot take it': refused.map((one) => `${one.devices}: ${one.meaning}`).join('; '),
      }),
      ...(sheet.impossible > 0 && { 'cannot read their data': sheet.impossible }),
      ...(touchedDevices > 0 && { 'other rollouts': `${touchedDevices} devices ${touching}` }),
    }),
  ];
}

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
