import { connect } from 'node:net';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Signer } from '#libs/assertions';
import type { Processes } from '#stack';
import { signersOf } from './support/signers-of.js';
import {
  BRAND,
  certifiedKey,
  freshKey,
  inStream,
  postSerial,
  query,
  register,
  registerModel,
  requestId,
  serialIn,
  serialRequest,
  type Administered,
  type PreparedVault,
  type TestModel,
} from './vault-kit.js';
import { startVaultProcess, type VaultProcess } from './support/start.js';

// The vault as a process of its own, killed without warning at each point of a registration: the device must be able to
// finish, and nothing may be signed twice (serial-vault.md 4.2, decisions 21).

let running: VaultProcess;
let prepared: PreparedVault;
let vault: Administered;
let processes: Processes;
let model: TestModel;

beforeAll(async () => {
  running = await startVaultProcess({ LOG_LEVEL: 'info' });
  ({ vault, prepared, processes } = running);
  model = await registerModel(vault, 'acme-killed', { signingKeyId: await certifiedKey(vault) });
});
afterAll(() => running?.stop());

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`cannot wait longer for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Three restarts on a busy machine, and what is left to do after them. */
const STORM_MS = 90_000;

const exists = async (text: string, values: readonly unknown[] = []): Promise<boolean> =>
  (await prepared.sql(text, values)).length > 0;

/** Sends the request and reads nothing: whatever is answered is lost. */
function sendAndForget(body: string): void {
  const socket = connect(Number(new URL(vault.url).port), '127.0.0.1');
  socket.on('error', () => socket.destroy());
  socket.write(
    `POST /v1/serial HTTP/1.1\r\nhost: x\r\napi-key: ${model.apiKey}\r\ncontent-type: application/x.ubuntu.assertion\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Holds an advisory lock that the vault needs at some point, until let go. */
async function holdLock(expression: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: prepared.urls.owner });
  await client.connect();
  await client.query(`SELECT pg_advisory_lock(${expression})`);
  return () => client.end();
}

const isWaitedFor = (): Promise<boolean> =>
  exists(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);

interface Point {
  readonly name: string;
  /** Stops the registration at the point; the result lets it go on, after the process is dead. */
  readonly stop: (serial: string) => Promise<() => unknown>;
  readonly reached: (serial: string) => Promise<boolean>;
  /** The device was given its serial before the end. */
  readonly isWritten: boolean;
}

const POINTS: readonly Point[] = [
  {
    name: 'before the reservation',
    stop: (serial) => holdLock(`hashtextextended('serial ${BRAND}/acme-killed/${serial}', 1)`),
    reached: isWaitedFor,
    isWritten: false,
  },
  {
    name: 'reserved, while the signer signs',
    stop: async () => {
      const [signer = 0] = signersOf(processes.get('serial-vault').pid);
      process.kill(signer, 'SIGSTOP');
      return () => process.kill(signer, 'SIGCONT');
    },
    reached: (serial) => exists('SELECT 1 FROM vault.reservations WHERE serial = $1', [serial]),
    isWritten: false,
  },
  {
    name: 'signed, before it is written',
    stop: () => holdLock(`hashtext('signing_log ${BRAND}')`),
    reached: isWaitedFor,
    isWritten: false,
  },
  {
    name: 'written, before the answer is read',
    stop: async () => () => undefined,
    reached: (serial) => exists('SELECT 1 FROM vault.devices WHERE serial = $1', [serial]),
    isWritten: true,
  },
];

const outcomesOf = async (serial: string): Promise<string[]> =>
  (
    await prepared.sql<{ outcome: string }>(
      `SELECT outcome FROM vault.signing_log WHERE serial = $1 AND outcome <> 'refused' ORDER BY seq`,
      [serial],
    )
  ).map(({ outcome }) => outcome);

for (const [index, point] of POINTS.entries()) {
  for (const how of ['the same request again', 'a new request-id'] as const) {
    it(`SIGKILL ${point.name}; the device finishes with ${how}`, async () => {
      const serial = `KILL-${index}-${how.length}`;
      const key = freshKey();
      const request = await serialRequest(
        model.assertion,
        await requestId(vault, model.apiKey),
        key,
        serial,
      );
      const body = inStream(request, model.assertion);
      const goOn = await point.stop(serial);
      sendAndForget(body);
      await until(point.name, () => point.reached(serial));
      await processes.kill('serial-vault');
      await goOn();
      expect(await exists('SELECT 1 FROM vault.devices WHERE serial = $1', [serial])).toBe(
        point.isWritten,
      );
      await processes.restart('serial-vault');
      const answer =
        how === 'a new request-id'
          ? await register(vault, model, key, serial)
          : await postSerial(vault, model.apiKey, body);
      expect(answer.status).toBe(200);
      expect(serialIn(answer.text).headers).toMatchObject({
        serial,
        'device-key-sha3-384': key.publicKey.id,
      });
      expect(await outcomesOf(serial)).toEqual(
        point.isWritten ? ['signed', 'repeated'] : ['signed'],
      );
    });
  }
}

it(
  'SIGKILL three times while 40 devices register: all finish, each signed once, the chain is whole',
  { timeout: 2 * STORM_MS },
  async () => {
    const devices = Array.from({ length: 40 }, (_, index) => ({
      key: freshKey(),
      serial: `STORM-${index}`,
    }));
    let kills = 0;
    const finish = async ({ key, serial }: { key: Signer; serial: string }): Promise<void> => {
      for (const end = Date.now() + STORM_MS; Date.now() < end;) {
        // As snapd does after a network fault or 503: from a new request-id.
        const status = await register(vault, model, key, serial).then(
          (answer) => answer.status,
          () => 0,
        );
        if (status === 200) return;
        expect([0, 503]).toContain(status);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`cannot register ${serial}`);
    };
    const storm = (async () => {
      for (; kills < 3; kills++) {
        const before = (
          await prepared.sql(`SELECT 1 FROM vault.devices WHERE serial LIKE 'STORM-%'`)
        ).length;
        await until('some registrations', () =>
          exists(`SELECT 1 FROM vault.devices WHERE serial LIKE 'STORM-%' OFFSET $1`, [
            Math.min(before + 4, 38),
          ]),
        );
        await processes.kill('serial-vault');
        await processes.restart('serial-vault');
      }
    })();
    await Promise.all([...devices.map(finish), storm]);
    const signed = await prepared.sql<{ serial: string; count: string }>(
      `SELECT serial, count(*) FROM vault.signing_log WHERE serial LIKE 'STORM-%' AND outcome = 'signed' GROUP BY serial`,
    );
    expect(signed).toHaveLength(40);
    expect(new Set(signed.map(({ count }) => count))).toEqual(new Set(['1']));
    expect(
      await query(vault, vault.token, `{ verifyLogs(brand: "${BRAND}") { signingLog } }`),
    ).toEqual({ verifyLogs: { signingLog: null } });
  },
);
