import {
  AssertionError,
  decodeAssertion,
  errorOf,
  parseTime,
  StreamReader,
  type Assertion,
} from '#libs/assertions';
import type { Io } from '../io.js';
import { UsageError } from '../usage.js';

/** The assertions of one file, and why reading stopped if it did not reach the end. */
export interface FileContent {
  readonly file: string;
  readonly assertions: readonly Assertion[];
  readonly error: AssertionError | undefined;
}

export async function readFiles(files: readonly string[], io: Io): Promise<FileContent[]> {
  const contents: FileContent[] = [];
  for (const file of files.length === 0 ? ['-'] : files)
    contents.push(readAll(file, await io.read(file)));
  return contents;
}

/**
 * Reads a stream. When not even its first assertion can be read, the input is taken for one assertion, whose errors are
 * plainer: there is no end of a stream to look for.
 */
function readAll(file: string, input: Buffer): FileContent {
  const assertions: Assertion[] = [];
  try {
    const reader = new StreamReader(input);
    for (let next = reader.next(); next !== undefined; next = reader.next()) assertions.push(next);
    if (assertions.length === 0) assertions.push(decodeAssertion(input));
    return { file, assertions, error: undefined };
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    return { file, assertions, error: assertions.length === 0 ? singleError(input, error) : error };
  }
}

function singleError(input: Buffer, streamError: AssertionError): AssertionError {
  try {
    decodeAssertion(input);
    return streamError;
  } catch (error) {
    if (error instanceof AssertionError) return error;
    throw error;
  }
}

/** As {@link readFiles}, for files that must be whole. */
export async function readWholeFiles(files: readonly string[], io: Io): Promise<Assertion[]> {
  const contents = files.length === 0 ? [] : await readFiles(files, io);
  for (const { file, error } of contents) {
    if (error === undefined) continue;
    throw errorOf({ valid: false, errorClass: error.code, message: `${file}: ${error.message}` });
  }
  return contents.flatMap(({ assertions }) => assertions);
}

/** A time option, or the present. */
export function timeOption(text: string | undefined, io: Io): Date {
  if (text === undefined) return io.now();
  const instant = parseTime(text);
  if (instant === null)
    throw new UsageError(`"${text}" is not a time such as 2026-01-31T12:00:00Z`);
  return new Date(Number(instant / 1_000_000n));
}
