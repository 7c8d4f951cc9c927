// Behind every script of package.json: installs what is missing, builds what is stale, says what it does, and runs the thing.
// Plain JavaScript on Node's own modules only: it runs before anything is installed. `node tools/bootstrap.mjs` lists all.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from './bundle.mjs';
import { runTests } from './run-tests.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const CACHE = path.join('node_modules', '.cache');

/** Tools of node_modules, run by this Node without a shell: paths may hold blanks. */
const TOOLS = {
  tsc: 'typescript/bin/tsc',
  vitest: 'vitest/vitest.mjs',
  eslint: 'eslint/bin/eslint.js',
  prettier: 'prettier/bin/prettier.cjs',
  depcruise: 'dependency-cruiser/bin/dependency-cruise.mjs',
};

const PRETTIER = [
  'prettier',
  '--check',
  '--log-level',
  'warn',
  '--cache',
  '--cache-location',
  `${CACHE}/prettier-check.json`,
  '.',
];
const ESLINT = [
  'eslint',
  '--cache',
  '--cache-strategy',
  'content',
  '--cache-location',
  `${CACHE}/eslint/`,
  '.',
];
const DEPCRUISE = [
  'depcruise',
  '--config',
  '.dependency-cruiser.cjs',
  'apps',
  'libs',
  'tools',
  'test',
];
const UNIT = ['vitest', 'run', '--project', 'unit*'];

/**
 * What each script does. `program`: a built file that runs itself; `module`: a built file with `main(args)`, which may give a
 * status; `tool`: one tool; `all`: several at once; `tests`: see run-tests.mjs. `build: false` needs no dist.
 */
const COMMANDS = {
  start: {
    about: 'services, store, worker and vault, until Ctrl-C',
    program: 'tools/start/main.js',
  },
  demo: { about: 'the whole story once, with an account of it', program: 'tools/demo/main.js' },
  cli: { about: 'the brandstore command', program: 'bundles/brandstore.js', inCallersFolder: true },
  test: { about: 'all tests, on services of their own', tests: true, build: false },
  'test:unit': { about: 'tests without services', tool: UNIT, build: false },
  'test:e2e': { about: 'tests on real services', tool: ['vitest', 'run', '--project', 'e2e*'] },
  'test:vectors': {
    about: 'the assertion vectors; ASSERTION_VECTORS=DIR for others',
    tool: [...UNIT, 'libs/assertions/src/vectors.spec.ts'],
    build: false,
  },
  check: {
    about: 'format, lint, arrows, types and unit tests',
    all: [ESLINT, UNIT, DEPCRUISE, PRETTIER],
    andBuild: true,
    build: false,
  },
  lint: { about: 'format, lint and arrows', all: [ESLINT, DEPCRUISE, PRETTIER], build: false },
  build: { about: 'compile what is stale' },
  bench: { about: 'one benchmark by name', modulesIn: 'tools/bench' },
  fuzz: { about: 'one long search for failures by name', modulesIn: 'tools/fuzz' },
  conformance: { about: 'state of the numbered checks', module: 'tools/conformance/main.js' },
  doctor: {
    about: 'what this machine has for a store, and what it lacks',
    module: 'tools/doctor/main.js',
  },
  'migration:check': {
    about: 'migrations up, down and no drift',
    module: 'tools/migration/check.js',
  },
  'demo:rollout': {
    about: 'a rollout over 1,000 simulated devices, with an account of it',
    program: 'tools/demo/rollout.js',
  },
  'demo:vault': {
    about: 'an order of 50 devices through the Serial Vault',
    program: 'tools/demo/vault.js',
  },
  simulate: {
    about: 'a rollout over virtual devices: --devices N --scenario NAME [--seed S]',
    module: 'tools/simulate/main.js',
  },
  'api:write': {
    about: 'write the GraphQL schemas from the resolvers',
    module: 'tools/api/write.js',
  },
};

/** On stderr: stdout belongs to the thing that runs. */
const say = (line) => process.stderr.write(`${line}\n`);

async function main(name, args) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    return fail(`cannot run: this needs Node 20.19 or newer, and this is ${process.versions.node}`);
  }
  const command = COMMANDS[name];
  if (!command) return usage(name);
  const callersFolder = process.env.INIT_CWD ?? process.cwd();
  process.chdir(root);
  if (!(await install())) return;
  if (command.build !== false && !(await build())) return;
  if (command.tool) return finish(await run([...command.tool, ...args]));
  if (command.tests) return finish(await runTests({ run, build, say }, args));
  if (command.all) return finish(await runAll(command));
  if (command.inCallersFolder) process.chdir(callersFolder);
  const file = command.modulesIn
    ? pickModule(command.modulesIn, args.shift())
    : (command.program ?? command.module);
  if (file) await load(file, args, Boolean(command.program));
}

function usage(name) {
  if (name) say(`cannot find the command "${name}"`);
  for (const [key, { about }] of Object.entries(COMMANDS))
    say(`  npm run ${key.padEnd(16)} ${about}`);
  process.exitCode = name ? 2 : 0;
}

function fail(sentence) {
  say(sentence);
  process.exitCode = 1;
}

function finish(status) {
  process.exitCode = status;
}

/** In this process: it then gets the signals itself, and its status is ours. */
async function load(file, args, isProgram) {
  const full = path.join(root, 'dist', file);
  if (!fs.existsSync(full)) return fail(`cannot find dist/${file}: its source is not there`);
  process.argv = [process.execPath, full, ...args];
  const loaded = await import(pathToFileURL(full).href);
  if (isProgram) return;
  const status = await loaded.main(args);
  if (typeof status === 'number') process.exitCode = status;
}

function pickModule(folder, name) {
  const built = path.join(root, 'dist', folder);
  const names = fs.existsSync(built)
    ? fs
        .readdirSync(built)
        .filter((file) => /^[a-z0-9-]+\.js$/.test(file))
        .map((file) => file.slice(0, -3))
    : [];
  const runnable = names.filter((one) =>
    /export (async )?function main\b/.test(fs.readFileSync(path.join(built, `${one}.js`), 'utf8')),
  );
  if (runnable.includes(name)) return `${folder}/${name}.js`;
  fail(
    `${name ? `cannot find "${name}"` : 'which one?'} There are: ${runnable.join(', ') || 'none'}`,
  );
}

// ---- installing ---------------------------------------------------------------------------------------------------

/** `npm ci`, when what lies in node_modules is not what the lock says. */
async function install() {
  const reason = whyInstall();
  if (!reason) return true;
  say(`Installing packages with npm ci: ${reason} …`);
  const options = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const status = npm?.endsWith('.js')
    ? await runProcess(process.execPath, [npm, ...options], { toStderr: true })
    : await runProcess('npm', options, { toStderr: true });
  if (status !== 0) {
    fail(`cannot install: npm ci ended with status ${status}`);
    return false;
  }
  return true;
}

/**
 * npm writes node_modules/.package-lock.json last, so an interrupted installation has none; it is compared package by
 * package. Optional ones of other systems are not there, and that is right.
 */
function whyInstall() {
  const wanted = readJson('package-lock.json')?.packages ?? {};
  const there = readJson(path.join('node_modules', '.package-lock.json'))?.packages;
  if (!there) return 'none are there';
  for (const [key, entry] of Object.entries(wanted)) {
    if (key === '') continue;
    const found = there[key];
    if (!found && (entry.optional || entry.devOptional || entry.peer)) continue;
    if (found?.version !== entry.version) {
      return `${key.replace(/^node_modules\//, '')} is ${found?.version ?? 'missing'}, the lock says ${entry.version}`;
    }
  }
  return null;
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

// ---- building -----------------------------------------------------------------------------------------------------

/** tsc and then the bundles, when a source, the settings or a package changed since the last time it was content. */
async function build() {
  const sources = ['apps', 'libs', 'test', 'tools'].flatMap((folder) => filesIn(folder, '.ts'));
  const stampFile = path.join('dist', '.stamp');
  const settings = ['tools/bundle.mjs', 'tsconfig.json', 'package.json', 'package-lock.json'];
  const stamp = stampOf([...sources, ...settings]);
  if (fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === stamp) return true;
  const started = Date.now();
  say(`Building ${sources.length} files …`);
  const status = await run(['tsc', '-p', 'tsconfig.json'], { toStderr: true });
  if (status !== 0) {
    fail('cannot build: see the errors above');
    return false;
  }
  removeOrphans(new Set(sources));
  await bundle();
  fs.writeFileSync(stampFile, stamp);
  say(`Built in ${seconds(started)}.`);
  return true;
}

function stampOf(files) {
  const hash = createHash('sha256').update(process.versions.node);
  for (const file of files) {
    const { mtimeMs, size } = fs.statSync(file);
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

/** What a removed or renamed source left in dist would still be found, and run. */
function removeOrphans(sources) {
  for (const file of filesIn('dist', '.js')) {
    const source = path.relative('dist', file).replace(/\.js$/, '.ts');
    if (sources.has(source)) continue;
    fs.rmSync(file);
    fs.rmSync(`${file}.map`, { force: true });
  }
}

function filesIn(folder, ending) {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

// ---- running ------------------------------------------------------------------------------------------------------

/** Some tools at once, as many as there are processors (two at least, as they wait a lot); each one's words when it is done. */
async function runAll({ all, andBuild }) {
  const started = Date.now();
  const jobs = all.map((words) => ({ name: words[0], work: () => capture(words) }));
  if (andBuild)
    jobs.splice(2, 0, { name: 'tsc', work: () => capture(['tsc', '-p', 'tsconfig.json']) });
  const failed = [];
  const slots = Math.max(2, os.availableParallelism());
  const next = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const begun = Date.now();
      const { status, output } = await job.work();
      if (status !== 0) failed.push(job.name);
      say(`${status === 0 ? '✓' : '✗'} ${job.name} (${seconds(begun)})`);
      if (status !== 0) process.stdout.write(`${output.trimEnd()}\n`);
    }
  };
  await Promise.all(Array.from({ length: slots }, next));
  say(
    failed.length === 0
      ? `All well in ${seconds(started)}.`
      : `Not well: ${failed.join(', ')} (${seconds(started)}).`,
  );
  return failed.length === 0 ? 0 : 1;
}

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

function toolCommand([tool, ...args]) {
  return [path.join(root, 'node_modules', TOOLS[tool]), ...args];
}

const run = (words, options) => runProcess(process.execPath, toolCommand(words), options);

async function capture(words) {
  let output = '';
  const onOutput = (chunk) => (output += chunk);
  return { status: await runProcess(process.execPath, toolCommand(words), { onOutput }), output };
}

/** Runs a child to its end and gives its status, 128 + n for a signal. Says something now and then when it is silent. */
function runProcess(command, args, { toStderr = false, onOutput } = {}) {
  const output = onOutput ? 'pipe' : toStderr ? process.stderr : 'inherit';
  const child = spawn(command, args, { stdio: ['inherit', output, onOutput ? 'pipe' : 'inherit'] });
  child.stdout?.setEncoding('utf8').on('data', onOutput);
  child.stderr?.setEncoding('utf8').on('data', onOutput);
  const started = Date.now();
  const beat =
    toStderr &&
    setInterval(() => say(`  … ${Math.round((Date.now() - started) / 1000)} s`), 10_000);
  // A Ctrl-C in a terminal reaches the child by itself; other signals, and one sent to us alone, do not.
  const forward = (signal) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve) => {
    const done = (status) => {
      clearInterval(beat);
      for (const signal of signals) process.off(signal, forward);
      resolve(status);
    };
    child.once('error', (error) => {
      say(`cannot run ${command}: ${error.message}`);
      done(127);
    });
    child.once('close', (code, signal) => done(code ?? 128 + (os.constants.signals[signal] ?? 0)));
  });
}

await main(process.argv[2], process.argv.slice(3));
