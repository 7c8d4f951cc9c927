import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const WEAK_KEY = join(
  import.meta.dirname,
  '../vectors/assertions/chain/brand-1024-account-key.assert',
);

/** `good` with a key of 1024 bits in it; the key is looked at before any signature. */
export function weakRequest(good: string): string {
  const key = decodeAssertionText(readFileSync(WEAK_KEY, 'utf8'));
  const [head = '', , signature = ''] = good.split('\n\n');
  const headers = head
    .replace(/^body-length: .*$/m, `body-length: ${key.body.length}`)
    .replace(/sha3-384: .*$/gm, `sha3-384: ${key.id}`);
  return [headers, key.body, signature].join('\n\n');
}

function decodeAssertionText(text: string): { id: string; body: string } {
  const [head = '', body = ''] = text.split('\n\n');
  return { id: /^public-key-sha3-384: (.*)$/m.exec(head)?.[1] ?? '', body };
}
