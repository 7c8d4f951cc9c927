/** Members of the store's input and plan that the file words otherwise. The first that fits counts. */
const RENAMED: readonly (readonly [pattern: RegExp, inFile: string])[] = [
  [/^fleetId$/, 'fleet'],
  [/^fleet\..*$/, 'fleet'],
  [/^revisions(?=\.|$)/, 'revision'],
  [/^target\.channel$/, 'channel'],
  [/^target\.revisions(?=\.|$)/, 'revision'],
  [/^target\.sequence$/, 'sequence.sequence'],
  [/^target$/, 'snap'],
  [/^(waves\[\d+\])\.size\.(percent|count|minCount)$/, '$1.$2'],
  [/^(waves\[\d+\])\.size$/, '$1'],
  [/^(waves\[\d+\])\.soak(Ms|Seconds)$/, '$1.soak'],
  [/^(waves\[\d+\])\.deadline(Ms|Seconds)$/, '$1.deadline'],
  [/^(waves\[\d+\])\.isManual$/, '$1.manual'],
  [/^(waves\[\d+\])\.health\.successPpm$/, '$1.health.successPercent'],
  [/^(waves\[\d+\])\.health\.coveragePpm$/, '$1.health.coveragePercent'],
  [/^(waves\[\d+\])\.health\.failPpm$/, '$1.health.failPercent'],
  [/^(waves\[\d+\])\.health\.failAbs$/, '$1.health.failCount'],
  [/^(waves\[\d+\]\.externalGates\[\d+\])\.timeout(Ms|Seconds)$/, '$1.timeout'],
  [/^isCritical$/, 'critical'],
  [/^latestStart(Ms|Seconds)$/, 'latestStart'],
];

/** The member of the file that a path of the store's answer speaks of: `target.revisions.arm64` is `revision.arm64`. */
export function toFilePath(path: string): string {
  const found = RENAMED.find(([pattern]) => pattern.test(path));
  return found === undefined ? path : path.replace(found[0], found[1]);
}
