import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Io } from '../io.js';
import { facts, print } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';
import { findDevice } from './find-device.js';

const EXPLAIN = graphql`
  query ($brand: ID!, $device: ID!, $snap: String!, $at: Instant) {
    explainDevice(brand: $brand, device: $device, snap: $snap, at: $at) {
      deviceUid
      snapName
      outcome
      revision
      channel
      installedRevision
      policyVersion
      decidedAt
      retryHint
      notReproducible
      recorded
      fleets {
        name
      }
      reasons {
        code
        sentence
      }
      standing {
        rollout
        isAdmitted
        wave
        bucket
        threshold
        expectedWave
        notBefore
      }
      passedBy
      remedies
      lastObservation {
        seenAt
        revision
        channel
        heldBy
      }
    }
  }
`;

interface Explained {
  readonly snapName: string;
  readonly outcome: string;
  readonly revision: number | null;
  readonly channel: string | null;
  readonly installedRevision: number | null;
  readonly policyVersion: number | null;
  readonly decidedAt: string | null;
  readonly retryHint: string | null;
  readonly notReproducible: string | null;
  readonly fleets: readonly { readonly name: string }[];
  readonly reasons: readonly { readonly code: string; readonly sentence: string }[];
  readonly standing: Standing | null;
  readonly passedBy: readonly string[];
  readonly remedies: readonly string[];
  readonly lastObservation: {
    readonly seenAt: string;
    readonly revision: number | null;
    readonly channel: string | null;
    readonly heldBy: readonly string[];
  } | null;
}

interface Standing {
  readonly rollout: string;
  readonly isAdmitted: boolean;
  readonly wave: number | null;
  readonly bucket: number | null;
  readonly threshold: number | null;
  readonly expectedWave: number | null;
  readonly notBefore: string | null;
}

interface ExplainOptions extends BrandOptions {
  readonly at?: Date;
}

/** `brandstore explain DEVICE SNAP [--at TIME]` (update-control.md 2.10). */
export const explainCommand = (io: Io): Command =>
  brandCommand('explain')
    .description('why a device has, gets or does not get a revision, and what would change that')
    .argument('<device>', 'its uid, or its serial')
    .argument('<snap>')
    .option('--at <time>', 'what it was told at that moment: as 2026-05-03T14:02Z', toTime)
    .action((device: string, snap: string, options: ExplainOptions) =>
      explain(io, device, snap, options),
    );

/** ISO 8601; throws what commander makes a usage error of. */
export function toTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('cannot read the time: as 2026-05-03T14:02Z');
  return time;
}

async function explain(
  io: Io,
  wanted: string,
  snap: string,
  options: ExplainOptions,
): Promise<void> {
  const brand = await connectToBrand(io, options);
  const { explainDevice } = await brand.store.query<{ explainDevice: Explained }>(EXPLAIN, {
    brand: brand.brandId,
    device: await findDevice(brand, wanted),
    snap,
    at: options.at?.toISOString() ?? null,
  });
  print(io, options, explainDevice, explainedText(explainDevice));
}

function explainedText(found: Explained): string {
  const { lastObservation: last, standing } = found;
  const head = facts({
    answer: answerText(found),
    told: found.decidedAt,
    policy: found.policyVersion,
    fleets: found.fleets.map(({ name }) => name).join(', '),
    'in the rollout': standing && standingText(standing),
    'last seen': last && `${last.seenAt} with ${installedText(last)}`,
    'next look': found.retryHint,
  });
  return [
    head,
    ...listText(
      'because',
      found.reasons.map(({ code, sentence }) => `${sentence}  [${code}]`),
    ),
    ...listText('not reached by', found.passedBy),
    ...listText('what would change it', found.remedies),
  ].join('\n');
}

function answerText(found: Explained): string {
  const { outcome, revision, installedRevision, snapName, channel, notReproducible } = found;
  const from = channel === null ? '' : ` (${channel})`;
  if (notReproducible !== null) return `not reproducible: ${notReproducible}`;
  if (outcome === 'UPDATE')
    return `${snapName} goes ${installedRevision === null ? '' : `from ${installedRevision} `}to ${revision}${from}`;
  if (outcome === 'STAY') return `${snapName} stays at ${revision}${from}`;
  return `there is no ${snapName} for it`;
}

function standingText(standing: Standing): string {
  const { rollout, isAdmitted, wave, expectedWave, notBefore, bucket, threshold } = standing;
  const where = isAdmitted
    ? `admitted${wave === null ? '' : ` by wave ${wave}`}`
    : 'not admitted yet';
  const when =
    notBefore === null
      ? expectedWave && `expected with wave ${expectedWave}`
      : `not before ${notBefore}`;
  const numbers = bucket === null ? null : `bucket ${bucket}, threshold ${threshold}`;
  return [`“${rollout}”: ${where}`, when, numbers].filter(Boolean).join(', ');
}

const installedText = ({
  revision,
  channel,
  heldBy,
}: NonNullable<Explained['lastObservation']>): string =>
  revision === null
    ? 'no such snap'
    : `revision ${revision} on ${channel}${heldBy.length > 0 ? `, held on the device by ${heldBy.join(', ')}` : ''}`;

const listText = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  - ${line}`)];
