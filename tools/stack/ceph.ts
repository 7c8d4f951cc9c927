import { execFile } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StackError } from './errors.js';
import { isPortFree } from './free-port.js';
import { lastLines } from './log-file.js';
import { endProcess, type ProcessId } from './process-table.js';
import { serverEnv, startServer } from './server-process.js';
import type { Watchdog } from './watchdog.js';

export interface CephOptions {
  readonly dir: string;
  /** Of the S3 endpoint. */
  readonly port: number;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly watchdog: Watchdog;
}

const env = { ...serverEnv, PATH: `${process.env.PATH ?? ''}:/usr/bin:/usr/sbin:/sbin` };

/**
 * The smallest Ceph that serves S3: one monitor, one OSD in memory, one gateway (local-stack.md 5.3). Nothing survives
 * `stop`, so daemons are killed: a memstore would first write all it holds.
 */
export async function startCeph(options: CephOptions): Promise<{ stop: () => Promise<void> }> {
  const { dir, port, watchdog } = options;
  const daemons: ProcessId[] = [];
  const stop = async () => {
    for (const id of [...daemons].reverse()) {
      await endProcess(id, [['SIGKILL', 10_000]]);
      watchdog.forget(id.pid);
    }
  };
  const daemon = async (
    name: string,
    program: string,
    args: string[],
    ready: () => Promise<boolean>,
  ) => {
    const { id } = await startServer({
      name: program,
      command: program,
      args: ['-c', join(dir, 'ceph.conf'), ...args, '-f'],
      logFile: join(dir, `${name}.log`),
      ready,
      readyTimeoutMs: 90_000,
      env,
    });
    daemons.push(id);
    watchdog.watch(id.pid, ['SIGKILL']);
  };
  try {
    const monPort = await monitorPort();
    const fsid = randomUUID();
    const osd = randomUUID();
    writeFileSync(join(dir, 'ceph.conf'), settings(dir, fsid, monPort, port));
    await prepare(dir, fsid, osd, monPort);
    await daemon('mon', 'ceph-mon', ['-i', 'a'], () => listens(monPort));
    await step(dir, 'ceph', ['osd', 'new', osd, '0']);
    await daemon('osd', 'ceph-osd', ['-i', '0'], async () => true);
    // The user first: this also makes the zone and its pools, which two processes must not do at once.
    const user = ['user', 'create', '--uid=brandstore', '--display-name=brandstore'];
    await step(dir, 'radosgw-admin', [
      ...user,
      `--access-key=${options.accessKey}`,
      `--secret-key=${options.secretKey}`,
    ]);
    await daemon('rgw', 'radosgw', ['-n', 'client.admin'], () => listens(port));
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

/** Keys, monitor map and the two stores. The monitor takes all keys from the keyring when it is made. */
async function prepare(dir: string, fsid: string, osd: string, monPort: number): Promise<void> {
  mkdirSync(join(dir, 'mon'));
  mkdirSync(join(dir, 'osd'));
  // cephx with real keys: with auth `none` the gateway loops for ever on "get_initial_auth_request returned -13".
  for (const name of ['mon.', 'client.admin', 'osd.0']) {
    const file = join(dir, `${name}.key`);
    const caps = ['--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *'];
    await step(dir, 'ceph-authtool', ['-C', file, '-g', '-n', name, ...caps]);
    appendFileSync(join(dir, 'keyring'), readFileSync(file), { mode: 0o600 });
  }
  const map = join(dir, 'monmap');
  const address = `[v2:127.0.0.1:${monPort}/0]`;
  await step(dir, 'monmaptool', [
    ...['--create', '--fsid', fsid, '--set-min-mon-release', 'pacific'],
    ...['--addv', 'a', address, map],
  ]);
  await step(dir, 'ceph-mon', ['-i', 'a', '--mkfs', '--monmap', map]);
  await step(dir, 'ceph-osd', ['-i', '0', '--mkfs', '--no-mon-config', '--osd-uuid', osd]);
}

async function step(dir: string, program: string, args: string[]): Promise<void> {
  try {
    const settingsFile = ['-c', join(dir, 'ceph.conf')];
    await promisify(execFile)(program, [...settingsFile, ...args], {
      env,
      cwd: '/',
      timeout: 90_000,
    });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new StackError(
      'ended-early',
      `cannot start Ceph RGW: ${program} failed\n${lastLines(stderr ? stderr : message)}`,
      {
        cause: error,
      },
    );
  }
}

/** Below the range of outgoing connections, with room above it for the ports of the OSD. */
async function monitorPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + randomInt(1_200) * 10;
    if (await isPortFree(port)) return port;
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(Boolean(socket.destroy())));
    socket.once('error', () => resolve(false));
  });
}

function settings(dir: string, fsid: string, monPort: number, s3Port: number): string {
  return `[global]
fsid = ${fsid}
mon_host = v2:127.0.0.1:${monPort}/0
public_addr = 127.0.0.1
ms_bind_msgr1 = false
ms_bind_port_min = ${monPort + 1}
ms_bind_port_max = ${monPort + 500}
keyring = ${dir}/keyring
mon_data = ${dir}/mon
osd_data = ${dir}/osd
crash_dir = ${dir}
admin_socket =
log_file =
log_to_stderr = true
mon_cluster_log_to_file = false
debug_rocksdb = 0
# Every map change of a start waits this long; with the default of 1 s a start takes 12 s.
paxos_propose_interval = 0.05
# One OSD, and a disk that may be nearly full, are no errors here.
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
mon_allow_pool_size_one = true
mon_data_avail_crit = 0
osd_objectstore = memstore
# A limit, not an allocation; writes to a "full" store hang for ever.
memstore_device_bytes = 68719476736
osd_class_load_list = *
rgw_frontends = beast endpoint=127.0.0.1:${s3Port} tcp_nodelay=1
# Memory of deleted objects comes back after a minute, not after two hours.
rgw_gc_obj_min_wait = 60
rgw_gc_processor_period = 60
`;
}
