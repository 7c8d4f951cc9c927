import type { Kind, Things } from './things.js';
import type { Login, Side, World } from './side.js';

/** Who asks at which surface, and with which of their logins. */
export const SURFACES = {
  people: { app: 'store', as: ['person', 'viewer', 'token'] },
  /** Logging in and out, second factors, sessions: each request comes from a login of its own. */
  doors: { app: 'store', as: ['guest'] },
  publisher: { app: 'store', as: ['publisher'] },
  device: { app: 'store', as: ['device', 'stranger'] },
  /** The brand's vault, which signs what it says to the store. */
  ownVault: { app: 'store', as: ['stranger'] },
  /** As doors: who has no login of their own there ends none. */
  vaultDoors: { app: 'vault', as: ['vaultViewer'] },
  vaultPeople: { app: 'vault', as: ['vaultAdmin', 'vaultOperator', 'vaultViewer'] },
  factory: { app: 'vault', as: ['gadget'] },
} as const satisfies Readonly<
  Record<string, { readonly app: keyof World['urls']; readonly as: readonly Login[] }>
>;
export type Surface = keyof typeof SURFACES;

export interface Sendable {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Order {
  readonly named: Things;
  readonly own: Side;
  readonly world: World;
}

/** One request, but for what it names and who sends it. */
export interface Template {
  readonly name: string;
  readonly by: Surface;
  /** Changes something where it is allowed, so it is not sent for one's own things. */
  readonly acts: boolean;
  /** Stands in the own brand's lists from then on, with what was named: it is sent after all others. */
  readonly isKept?: true;
  /** Of a name that all share, the free and the taken must differ: it is only looked through. */
  readonly isShared?: true;
  readonly make: (order: Order) => Sendable | Promise<Sendable>;
}

type Text = (things: Things, own: Things) => string;
type Value = (things: Things, own: Things) => unknown;

export const json = (
  method: Sendable['method'],
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Sendable => ({
  method,
  path,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

export const get = (
  by: Surface,
  name: string,
  path: Text,
  method: 'GET' | 'HEAD' = 'GET',
): Template => ({
  name,
  by,
  acts: false,
  make: ({ named, own }) => ({ method, path: path(named, own.things) }),
});

/** A question with a body. */
export const query = (by: Surface, name: string, path: Text, body: Value): Template => ({
  name,
  by,
  acts: false,
  make: ({ named, own }) => json('POST', path(named, own.things), body(named, own.things)),
});

export const act = (
  by: Surface,
  name: string,
  path: Text,
  body: Value,
  method: 'POST' | 'PUT' = 'POST',
): Template => ({
  name,
  by,
  acts: true,
  make: ({ named, own }) => json(method, path(named, own.things), body(named, own.things)),
});

export type { Kind, Things };
