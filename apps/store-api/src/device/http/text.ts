import { z } from 'zod';

/** A text of at most so many characters, without NUL: Postgres keeps none, and nobody means one. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'expected no NUL character');

/** A text that says something. */
export const word = (max: number) => text(max).min(1);
