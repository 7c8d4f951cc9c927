import { join } from 'node:path';
import { Processes, projectRoot } from '#stack';

/** Supervises one small app until it is killed: started by processes.e2e.spec.ts. */
const processes = new Processes({ logDir: process.argv[2] ?? '' });
const app = await processes.start({
  name: 'small',
  script: join(projectRoot, 'dist/test/stack/small-app.js'),
  env: {},
  ready: 'message',
});
process.stdout.write(JSON.stringify({ pid: app.pid, http: app.addresses.http }));
