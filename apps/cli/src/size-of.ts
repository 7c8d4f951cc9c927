import { stat } from 'node:fs/promises';
import { Failure } from './usage.js';

/** Bytes of a file that is to be sent; throws what is wrong with it in words for who named it. */
export async function sizeOf(file: string): Promise<number> {
  const info = await stat(file).catch((error: unknown) => {
    throw new Failure(`cannot read ${file}: there is no such file, or it is not for you`, {
      cause: error,
    });
  });
  if (!info.isFile()) throw new Failure(`cannot send ${file}: it is no file`);
  return info.size;
}
