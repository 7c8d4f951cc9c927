import { execFileSync } from 'node:child_process';

/** Process ids of the signers that the process `pid` started, as `ps` has them. */
export function signersOf(pid: number): number[] {
  return execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)])
    .toString()
    .split('\n')
    .filter((line) => line.includes('brandstore-signer') || line.includes('signer-process'))
    .map((line) => Number(line.trim().split(/\s+/)[0]));
}
