import { parseArgs } from 'node:util';
import { prerequisites, uniqueRef, writeHeaders, type Assertion } from '#libs/assertions';
import type { Io } from '../io.js';
import { FAILED, OK } from '../usage.js';
import { readFiles } from './input.js';

/** `assertion show`: what assertions say, whoever signed them. */
export async function showCommand(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  });
  let isComplete = true;
  for (const { file, assertions, error } of await readFiles(positionals, io)) {
    for (const assertion of assertions) {
      io.out(values.json ? `${JSON.stringify(asJson(assertion))}\n` : asText(assertion));
    }
    if (error === undefined) continue;
    io.err(`${file}: ${error.code}: ${error.message}`);
    isComplete = false;
  }
  return isComplete ? OK : FAILED;
}

function asJson(assertion: Assertion): object {
  const { type, primaryKey, revision, format, authorityId, signKeyId, headers, body } = assertion;
  return {
    type,
    primaryKey,
    revision,
    format,
    authorityId: authorityId ?? null,
    signKeyId,
    prerequisites: prerequisites(assertion).map(uniqueRef),
    headers,
    body: body.toString('utf8'),
  };
}

function asText(assertion: Assertion): string {
  const { body } = assertion;
  const facts = [
    `# ${uniqueRef(assertion)}, revision ${assertion.revision}, format ${assertion.format}`,
    ...prerequisites(assertion).map((ref) => `# needs ${uniqueRef(ref)}`),
    writeHeaders(assertion.headers),
  ];
  return `${facts.join('\n')}\n${body.length === 0 ? '' : `\n${body.toString('utf8')}\n`}\n`;
}
