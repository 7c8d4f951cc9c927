import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import type { Assertion } from '#libs/assertions';

/** What a `snap` program trusts stands in it as plain text: where, and how many blank lines are before the signature. */
const TRUSTED = [
  { type: 'account', says: 'account-id: canonical\ndisplay-name: ', blanks: 1 },
  { type: 'account-key', says: 'account-id: canonical\nname: root\n', blanks: 2 },
] as const;
const SIGNATURE_LINE = 76;

/**
 * A copy of a `snap` program that has our root where the vendor's was, as a maker's own build has (docs/trust.md, "own root"). Ours
 * are filled up to the length of the vendor's with a header that means nothing: what is trusted is believed as it stands, and
 * nobody asks for its signature.
 */
export function withOurRoot(program: string, root: readonly Assertion[], copy: string): void {
  const bytes = readFileSync(program);
  for (const { type, says, blanks } of TRUSTED) {
    const ours = root.find((one) => one.type === type)?.bytes.toString() ?? '';
    const start = bytes.lastIndexOf(`type: ${type}\n`, bytes.indexOf(says));
    if (start < 0 || ours === '') throw new Error(`cannot put our ${type} into ${program}`);
    bytes.write(filled(ours, endOf(bytes, start, blanks) - start), start);
  }
  writeFileSync(copy, bytes);
  chmodSync(copy, 0o755);
}

function endOf(bytes: Buffer, start: number, blanks: number): number {
  let at = start;
  for (let blank = 0; blank < blanks; blank++) at = bytes.indexOf('\n\n', at) + 2;
  for (;;) {
    const end = bytes.indexOf('\n', at);
    if (end - at < SIGNATURE_LINE) return end + 1;
    at = end + 1;
  }
}

function filled(text: string, length: number): string {
  const header = 'filler: \n';
  const missing = length - Buffer.byteLength(`${text.trimEnd()}\n${header}`);
  if (missing < 1)
    throw new Error('cannot put our root in the place of the vendor’s: it is longer');
  return `${text.trimEnd()}\n`.replace(
    'sign-key-sha3-384: ',
    `filler: ${'x'.repeat(missing)}\nsign-key-sha3-384: `,
  );
}
