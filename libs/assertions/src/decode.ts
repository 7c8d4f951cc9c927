import { assemble } from './assemble.js';
import type { Assertion } from './assertion.js';
import { refuse } from './error.js';
import { parseHeaders } from './headers.js';
import { integerOrZero } from './values.js';

/** Size limits in bytes (assertions.md 1.6); headers and signature count with the blank line that ends them. */
export const MAX_HEADERS_BYTES = 131072;
export const MAX_BODY_BYTES = 2097152;
export const MAX_SIGNATURE_BYTES = 131072;

const SEPARATOR = Buffer.from('\n\n');
const NO_BODY = Buffer.alloc(0);

/**
 * Reads input that is exactly one assertion. Size limits are looked at before anything else.
 *
 * @throws AssertionError
 * @example const model = decodeAssertion(await readFile('model.assert'));
 */
export function decodeAssertion(input: Uint8Array): Assertion {
  if (input.length > MAX_HEADERS_BYTES + MAX_BODY_BYTES + MAX_SIGNATURE_BYTES) tooBig('assertion');
  const bytes = copyOf(input);
  const contentEnd = bytes.lastIndexOf(SEPARATOR);
  if (contentEnd === -1) {
    refuse('no content/signature separator', 'there is no blank line before a signature', {
      rule: 'assertions.md 1.1',
    });
  }
  const content = bytes.subarray(0, contentEnd);
  const headersEnd = content.indexOf(SEPARATOR);
  const head = headersEnd === -1 ? content : content.subarray(0, headersEnd);
  const body = headersEnd === -1 ? NO_BODY : content.subarray(headersEnd + 2);
  if (head.length + 2 > MAX_HEADERS_BYTES) tooBig('headers');
  if (body.length > MAX_BODY_BYTES) tooBig('body');
  if (bytes.length - contentEnd - 2 >= MAX_SIGNATURE_BYTES) tooBig('signature');
  return assemble({
    head,
    headers: parseHeaders(head),
    body,
    content,
    signature: signatureText(bytes, contentEnd + 2),
    bytes,
  });
}

/** Limits a caller may set for a whole stream, on top of those for each assertion. */
export interface StreamLimits {
  readonly maxAssertions?: number;
  readonly maxBytes?: number;
}

/**
 * Reads a stream of assertions to its end (assertions.md 1.5). Empty input is an empty stream.
 *
 * @throws AssertionError at the first assertion that cannot be read, or when a limit is passed
 */
export function decodeAssertions(input: Uint8Array, limits: StreamLimits = {}): Assertion[] {
  if (limits.maxBytes !== undefined && input.length > limits.maxBytes) tooBig('stream');
  const reader = new StreamReader(input);
  const assertions: Assertion[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (limits.maxAssertions !== undefined && assertions.length >= limits.maxAssertions) {
      refuse('size limit exceeded', `the stream has more than ${limits.maxAssertions} assertions`);
    }
    assertions.push(next);
  }
  return assertions;
}

/** Reads assertions one after the other; for callers that want those before an error. */
export class StreamReader {
  private readonly input: Buffer;
  private at = 0;

  constructor(input: Uint8Array) {
    this.input = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  }

  /** @returns undefined at the end of the input */
  next(): Assertion | undefined {
    if (this.at === this.input.length) return undefined;
    const start = this.at;
    const head = this.until(MAX_HEADERS_BYTES, 'headers');
    if (head.isCut) endsEarly();
    const headers = parseHeaders(head.part);
    const bodyLength = integerOrZero(headers, 'body-length');
    if (bodyLength > BigInt(MAX_BODY_BYTES)) tooBig('body');
    // A negative length counts as none here; assemble() then finds that it does not match.
    const body = this.exactly(bodyLength < 0n ? 0 : Number(bodyLength));
    const bodyEnd = this.at;
    const { contentEnd, signatureStart, signatureEnd } = this.signature(
      start + head.part.length,
      bodyEnd,
      body.length,
    );
    const bytes = copyOf(this.input.subarray(start, signatureEnd));
    return assemble({
      head: head.part,
      headers,
      body:
        body.length === 0
          ? NO_BODY
          : bytes.subarray(bodyEnd - start - body.length, bodyEnd - start),
      content: bytes.subarray(0, contentEnd - start),
      signature: signatureText(bytes, signatureStart - start),
      bytes,
    });
  }

  /**
   * After the body comes a blank line and the signature. With an empty body that blank line may be missing, and then the
   * one after the headers is not part of the content.
   */
  private signature(
    headersEnd: number,
    bodyEnd: number,
    bodyLength: number,
  ): { contentEnd: number; signatureStart: number; signatureEnd: number } {
    const first = this.until(MAX_SIGNATURE_BYTES, 'signature');
    if (first.part.length === 0 && !first.isCut) {
      const text = this.until(MAX_SIGNATURE_BYTES, 'signature');
      const signatureStart = bodyEnd + 2;
      return {
        contentEnd: bodyEnd,
        signatureStart,
        signatureEnd: signatureStart + lengthWithNewline(text),
      };
    }
    if (bodyLength > 0) {
      refuse(
        'no content/signature separator',
        'there is no blank line between body and signature',
        {
          rule: 'assertions.md 1.5',
        },
      );
    }
    return {
      contentEnd: headersEnd,
      signatureStart: bodyEnd,
      signatureEnd: bodyEnd + lengthWithNewline(first),
    };
  }

  /** What stands before the next blank line, which is skipped too; `isCut` if the input ends instead. */
  private until(maxBytes: number, what: string): Part {
    const window = this.input.subarray(this.at, this.at + maxBytes);
    const end = window.indexOf(SEPARATOR);
    if (end === -1 && window.length === maxBytes) tooBig(what);
    this.at += end === -1 ? window.length : end + 2;
    return { part: end === -1 ? window : window.subarray(0, end), isCut: end === -1 };
  }

  private exactly(length: number): Buffer {
    if (this.input.length - this.at < length) endsEarly();
    this.at += length;
    return this.input.subarray(this.at - length, this.at);
  }
}

interface Part {
  readonly part: Buffer;
  readonly isCut: boolean;
}

/** The first newline of the blank line belongs to the signature text. */
function lengthWithNewline({ part, isCut }: Part): number {
  return part.length + (isCut ? 0 : 1);
}

/** What the caller does to its buffer later must not reach what was checked. */
function copyOf(input: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafe(input.length);
  copy.set(input);
  return copy;
}

/** Bytes that are not ASCII make the text undecodable later; latin1 keeps each as one character. */
function signatureText(bytes: Buffer, start: number): string {
  return bytes.toString('latin1', start);
}

function tooBig(what: string): never {
  refuse('size limit exceeded', `the ${what} is larger than an assertion may have`, {
    rule: 'assertions.md 1.6',
  });
}

function endsEarly(): never {
  refuse('input ends early', 'the input ends in the middle of an assertion', {
    rule: 'assertions.md 1.5',
  });
}
