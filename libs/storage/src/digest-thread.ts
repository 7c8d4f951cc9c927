import { createHash } from 'node:crypto';
import { parentPort, type MessagePort } from 'node:worker_threads';
import type { BlockDone, ContentDigests } from './content-digest.js';

// What the thread of content-digest.ts runs: a port per content, blocks of it in their order, at last null.
parentPort?.on('message', (port: MessagePort) => {
  const sha3 = createHash('sha3-384');
  const sha256 = createHash('sha256');
  port.on('message', (block: Uint8Array | null) => {
    if (block) {
      sha3.update(block);
      sha256.update(block);
      port.postMessage('block-done' satisfies BlockDone);
    } else {
      const digests = { sha3_384: sha3.digest('hex'), sha256: sha256.digest('hex') };
      port.postMessage(digests satisfies ContentDigests);
      port.close();
    }
  });
});
