import { inspect } from 'node:util';
import { z } from 'zod';

/** A value that prints as `[secret]` wherever it may end up; `reveal()` is easy to find in a review. */
export class Secret<Value = string> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  reveal(): Value {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** Wrong values of the environment, all at once; the message lists them and shows no value. */
export class ConfigError extends Error {
  readonly code = 'bad-config';

  constructor(readonly problems: readonly string[]) {
    super(
      `cannot start, the environment is wrong:\n${problems.map((text) => `  ${text}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

type Shape = z.ZodObject;

/** Two objects, so that it is decided at each name whether it may be printed. */
export interface ConfigSchema<C extends Shape, S extends Shape> {
  readonly config: C;
  readonly secrets: S;
}

export interface Settings<C extends Shape, S extends Shape> {
  readonly config: Readonly<z.output<C>>;
  readonly secrets: { readonly [Name in keyof z.output<S>]: Secret<z.output<S>[Name]> };
}

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment, once, at the start (house 2.9). An empty value is none.
 * @throws ConfigError with every problem
 * @example readConfig({ config: z.object({ PORT: port() }), secrets: z.object({ DATABASE_URL: z.url() }) }, process.env)
 */
export function readConfig<C extends Shape, S extends Shape>(
  schema: ConfigSchema<C, S>,
  env: Env,
): Settings<C, S> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const config = schema.config.safeParse(given);
  const secrets = schema.secrets.safeParse(given);
  const problems = [config, secrets].flatMap((result) =>
    result.success ? [] : problemsOf(result.error, given),
  );
  if (!config.success || !secrets.success) throw new ConfigError(problems);
  const wrapped = Object.entries(secrets.data).map(([name, value]) => [name, new Secret(value)]);
  return {
    config: Object.freeze(config.data),
    secrets: Object.freeze(Object.fromEntries(wrapped)) as Settings<C, S>['secrets'],
  };
}

function problemsOf(error: z.ZodError, given: Record<string, unknown>): string[] {
  return error.issues.map(({ path, message }) => {
    const name = String(path[0] ?? '');
    return given[name] === undefined ? `${name} is not set` : `${name}: ${message}`;
  });
}

/** A TCP port; 0 lets the system choose. */
export const port = () =>
  z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number')
    .transform(Number)
    .refine((value) => value <= 65_535, 'must be at most 65535');

/** A whole number within limits. */
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be between ${min} and ${max}`);

/** `1`/`true`/`yes` or `0`/`false`/`no`. */
export const flag = () =>
  z
    .enum(['1', '0', 'true', 'false', 'yes', 'no'], 'must be true or false')
    .transform((value) => ['1', 'true', 'yes'].includes(value));

/** An address that starts with http:// or https://, given back without a slash at its end. */
export const httpUrl = () =>
  z
    .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
    .transform((value) => value.replace(/\/$/, ''));

/** `postgres://…` or `postgresql://…`. */
export const postgresUrl = () =>
  z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' });

/** `redis://…` or `rediss://…`. */
export const redisUrl = () => z.url({ protocol: /^rediss?$/, error: 'must be a redis:// URL' });
