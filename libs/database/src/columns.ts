/** bigint arrives from the driver as text; ours (sizes, buckets below 2^53, sequence numbers) fit a number exactly. */
export const safeInteger = {
  type: 'bigint',
  transformer: {
    to: (value: number | null | undefined) => value,
    from: (value: string | null) => (value === null ? null : Number(value)),
  },
} as const;

/** An instant that the database sets by `app.now()` when the row is inserted (decisions 19). */
export const createdAt = { type: 'timestamptz', default: () => 'app.now()' } as const;

export const optional = { nullable: true } as const;
