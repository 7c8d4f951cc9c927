import { ask } from '../../clients/http.js';
import { known } from '../story/index.js';
import { MODEL, ORDER, type VaultStory } from './vault-story.js';

/** What the vault says of the order when all is done. */
export interface OrderAccount {
  /** Finding of the reconciliation → how many serials. */
  readonly findings: Readonly<Record<string, number>>;
  /** Outcome in the signing log → how many rows. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly isLogSound: boolean;
}

const count = (words: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
};

/** Every number is the vault's own answer: the line compares what it built with the order. */
export async function accountOf(story: VaultStory): Promise<OrderAccount> {
  const production = known(story.production, 'the production');
  const { vaultUrl } = story.installation;
  const built = ['serial', ...story.devices.keys(), ''].join('\n');
  const csv = await production.reconcile(vaultUrl, story.brandId, MODEL, ORDER, built);
  const lines = csv.trimEnd().split('\r\n').slice(1);
  const approver = known(story.approver, 'the approver');
  const log = await ask(
    `${vaultUrl}/admin/v1/brands/${story.brandId}/serial-log/export?format=jsonl`,
    {
      headers: approver.headers(),
    },
  );
  const rows = log.text.trimEnd().split('\n');
  return {
    findings: count(lines.map((line) => line.split(',').at(-1) ?? '')),
    outcomes: count(rows.map((row) => (JSON.parse(row) as { outcome: string }).outcome)),
    isLogSound: await known(story.admin, 'the admin').isLogSound(story.brandId),
  };
}

export function accountRows({ findings, outcomes, isLogSound }: OrderAccount): [string, string][] {
  const words = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, number]) => `${number} ${name}`)
      .join(', ');
  return [
    [`order ${ORDER}`, words(findings)],
    ['signing log', words(outcomes)],
    ['hash chain', isLogSound ? 'whole' : 'broken'],
  ];
}
