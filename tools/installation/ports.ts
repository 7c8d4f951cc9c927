import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { freePort, isPortFree } from '#stack';

/** The ports that end up in gadgets, keyrings and bookmarks. */
export interface Ports {
  readonly store: number;
  readonly vault: number;
  readonly storeOps: number;
  readonly workerOps: number;
  readonly vaultOps: number;
}

const NAMES = ['store', 'vault', 'storeOps', 'workerOps', 'vaultOps'] as const;

/** Free ports for a run that nobody will remember. */
export async function freshPorts(): Promise<Ports> {
  const ports: number[] = [];
  while (ports.length < NAMES.length) {
    const port = await freePort();
    if (!ports.includes(port)) ports.push(port);
  }
  return Object.fromEntries(NAMES.map((name, index) => [name, ports[index]])) as unknown as Ports;
}

/** The ports chosen at the first start; refuses, with a sentence, when one of them is taken (decisions 24). */
export async function keptPorts(file: string): Promise<Ports> {
  if (!existsSync(file)) {
    const ports = await freshPorts();
    writeFileSync(file, `${JSON.stringify(ports, null, 2)}\n`);
    return ports;
  }
  const ports = JSON.parse(readFileSync(file, 'utf8')) as Ports;
  for (const name of NAMES) {
    if (await isPortFree(ports[name])) continue;
    throw new Error(
      `cannot start: port ${ports[name]} (${name}) is taken by another program. This installation keeps its ports because devices and ` +
        `publishers know them; free the port, or edit ${file}`,
    );
  }
  return ports;
}
