import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../usage.js';

const session = z.object({ email: z.string(), token: z.string(), expiresAt: z.string() });
const content = z.object({
  /** URL of the store that was logged in to last. */
  current: z.string().nullable(),
  /** By URL of the store: a session is sent to no other. */
  sessions: z.record(z.string(), session),
});

export type KeptSession = z.infer<typeof session>;
type Content = z.infer<typeof content>;

/** The sessions of `brandstore login`, in a file that only its owner can read, below the XDG folder of settings. */
export class SessionFile {
  readonly path: string;

  /** @param name of the file: those at vaults lie apart from those at stores */
  constructor(
    env: Readonly<Record<string, string | undefined>>,
    name: 'sessions.json' | 'vault-sessions.json' = 'sessions.json',
  ) {
    const folder = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config');
    this.path = join(folder, 'brandstore', name);
  }

  async currentUrl(): Promise<string | null> {
    return (await this.load()).current;
  }

  async find(url: string): Promise<KeptSession | null> {
    const { sessions } = await this.load();
    return Object.hasOwn(sessions, url) ? (sessions[url] ?? null) : null;
  }

  async keep(url: string, kept: KeptSession): Promise<void> {
    const { sessions } = await this.load();
    await this.save({ current: url, sessions: { ...sessions, [url]: kept } });
  }

  async forget(url: string): Promise<void> {
    const { current, sessions } = await this.load();
    const others = Object.entries(sessions).filter(([one]) => one !== url);
    if (others.length === 0) return rm(this.path, { force: true });
    const next = current === url ? (others[0]?.[0] ?? null) : current;
    await this.save({ current: next, sessions: Object.fromEntries(others) });
  }

  private async load(): Promise<Content> {
    try {
      return content.parse(JSON.parse(await readFile(this.path, 'utf8')));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
        return { current: null, sessions: {} };
      throw new Failure(`cannot read the sessions in ${this.path}: remove it and log in again`, {
        cause: error,
      });
    }
  }

  /** Whole or not at all. */
  private async save(value: Content): Promise<void> {
    const draft = `${this.path}.${process.pid}`;
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    await rename(draft, this.path);
  }
}
