import { execFile, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '#stack';

/** A checkout in miniature, in a path as people have them: one package from next door, one source folder, one bench. */
const checkout = join(mkdtempSync(join(tmpdir(), 'brandstore ü-')), 'my store');
const write = (file: string, text: string) => {
  mkdirSync(join(checkout, file, '..'), { recursive: true });
  writeFileSync(join(checkout, file), text);
};

beforeAll(() => {
  for (const file of ['tools/bootstrap.mjs', 'tools/bundle.mjs', 'tools/run-tests.mjs'])
    cpSync(join(projectRoot, file), join(checkout, file));
  const dependencies = { neighbour: 'file:neighbour' };
  write(
    'package.json',
    JSON.stringify({ name: 'mini', version: '1.0.0', type: 'module', dependencies }),
  );
  write('neighbour/package.json', JSON.stringify({ name: 'neighbour', version: '1.0.0' }));
  const packages = {
    '': { name: 'mini', version: '1.0.0', dependencies },
    neighbour: { version: '1.0.0' },
    'node_modules/neighbour': { resolved: 'neighbour', link: true },
  };
  write(
    'package-lock.json',
    JSON.stringify({ name: 'mini', version: '1.0.0', lockfileVersion: 3, packages }),
  );
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2022',
    outDir: 'dist',
    rootDir: '.',
    incremental: true,
    types: [],
  };
  write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['tools'] }));
  const bench = `declare const console: any;\nexport async function main(args: string[]): Promise<number> { console.log(args.join('|')); return args.length; }\n`;
  write('tools/bench/echo.ts', bench);
  write('tools/bench/helper.ts', 'export const helps = true;\n');
  write(
    'tools/demo/main.ts',
    `declare const process: any, console: any;\nconsole.log('told'); process.exitCode = 7;\nexport {};\n`,
  );
  const start = [
    'declare const process: any, console: any, setInterval: any, clearInterval: any;',
    'const timer = setInterval(() => {}, 1000);',
    "process.on('SIGTERM', () => { console.log('down'); clearInterval(timer); });",
    "console.log('up');",
    'export {};',
  ];
  write('tools/start/main.ts', start.join('\n'));
});
afterAll(() => rmSync(join(checkout, '..'), { recursive: true, force: true }));

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function run(args: string[], nodeArgs: string[] = []): Promise<Ran> {
  return new Promise((resolve) => {
    const all = [...nodeArgs, join(checkout, 'tools/bootstrap.mjs'), ...args];
    const child = execFile(process.execPath, all, { cwd: tmpdir() }, (_, out, err) =>
      resolve({ status: child.exitCode ?? -1, out, err }),
    );
  });
}

/** What npm would have installed, had the miniature named it. */
const addTypescript = () =>
  symlinkSync(
    join(projectRoot, 'node_modules/typescript'),
    join(checkout, 'node_modules/typescript'),
  );

describe('the scripts of package.json', () => {
  it('list themselves, and refuse what they do not know', async () => {
    expect(await run([])).toMatchObject({
      status: 0,
      err: expect.stringContaining('npm run demo') as string,
    });
    expect(await run(['nothing'])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/^cannot find the command "nothing"/) as string,
    });
  });

  it('refuse a Node that is too old, with a sentence', async () => {
    const older = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.18.1'}})`;
    expect(await run(['build'], ['--import', older])).toEqual({
      status: 1,
      out: '',
      err: 'cannot run: this needs Node 20.19 or newer, and this is 20.18.1\n',
    });
  });

  it('install what the lock says, once, and again when something else lies there', async () => {
    const first = await run(['test:vectors']);
    expect(first.err).toMatch(/^Installing packages with npm ci: none are there …/);
    expect(existsSync(join(checkout, 'node_modules/neighbour/package.json'))).toBe(true);
    addTypescript();
    expect((await run(['test:vectors'])).err).not.toContain('Installing');
    rmSync(join(checkout, 'node_modules/.package-lock.json'));
    expect((await run(['test:vectors'])).err).toContain('Installing');
    addTypescript();
  });

  it('build what is stale, and only that', async () => {
    const first = await run(['build']);
    expect(first).toMatchObject({
      status: 0,
      err: expect.stringMatching(/^Building 4 files …\nBuilt in /) as string,
    });
    expect((await run(['build'])).err).toBe('');
    const later = new Date(Date.now() + 5_000);
    utimesSync(join(checkout, 'tools/bench/helper.ts'), later, later);
    expect((await run(['build'])).err).toContain('Building');
    rmSync(join(checkout, 'tools/bench/helper.ts'));
    await run(['build']);
    expect(existsSync(join(checkout, 'dist/tools/bench/helper.js'))).toBe(false);
  });

  it('do not run what does not compile', async () => {
    write('tools/bench/wrong.ts', 'export const n: number = "no";\n');
    const failed = await run(['bench', 'echo']);
    expect([failed.status, failed.out]).toEqual([1, '']);
    expect(failed.err).toMatch(/wrong\.ts.*error TS2322[^]*cannot build/);
    rmSync(join(checkout, 'tools/bench/wrong.ts'));
  });

  it('hand on arguments and status', async () => {
    expect(await run(['bench', 'echo', 'a b', '--c'])).toMatchObject({
      status: 2,
      out: 'a b|--c\n',
    });
    expect(await run(['demo'])).toMatchObject({ status: 7, out: 'told\n', err: '' });
    expect(await run(['bench', 'none'])).toMatchObject({
      status: 1,
      err: 'cannot find "none" There are: echo\n',
    });
    expect(await run(['conformance'])).toMatchObject({ status: 1 });
  });

  it('run the tests of a file again when one failed, and name those that passed only then', async () => {
    // A runner that fails in each named file as often as the file says.
    write(
      'node_modules/vitest/vitest.mjs',
      `import fs from 'node:fs';
       const option = process.argv.find((one) => one.startsWith('--outputFile.json='));
       const project = process.argv[process.argv.indexOf('--project') + 1];
       const named = process.argv.slice(2).filter((one) => one.endsWith('.spec'));
       const files = named.length > 0 ? named : [project.slice(0, -1) + '.spec'];
       const testResults = files.map((name) => {
         const left = Number(fs.readFileSync(name, 'utf8'));
         fs.writeFileSync(name, String(left - 1));
         const status = left > 0 ? 'failed' : 'passed';
         return { name, status, assertionResults: [{ fullName: 'test of ' + name, status }] };
       });
       const failed = testResults.filter(({ status }) => status === 'failed').length;
       fs.mkdirSync('test-results', { recursive: true });
       fs.writeFileSync(option.split('=')[1], JSON.stringify({ testResults }));
       process.exit(failed > 0 ? 1 : 0);`,
    );
    const testing = async (...failures: readonly number[]) => {
      const names = failures.map((_, index) => `${index}.spec`);
      names.forEach((name, index) => write(name, String(failures[index])));
      const { status, err } = await run(['test', ...names]);
      const text = readFileSync(join(checkout, 'test-results/report.json'), 'utf8');
      const report = JSON.parse(text) as {
        unsteady?: string[];
        numFailedTests?: number;
        testResults: { name: string }[];
      };
      const { unsteady, numFailedTests: failed } = report;
      return { status, err, unsteady, failed, names: report.testResults.map(({ name }) => name) };
    };
    expect(await testing(0, 0)).toMatchObject({ status: 0, err: '', unsteady: undefined });
    expect(await testing(0, 1)).toMatchObject({
      ...{ status: 0, unsteady: ['1.spec: test of 1.spec'], failed: 0 },
      err: expect.stringContaining('passed alone: 1.spec: test of 1.spec') as string,
    });
    expect(await testing(1, 2)).toMatchObject({
      ...{ status: 1, unsteady: ['0.spec: test of 0.spec'], failed: 1 },
    });
    // Without names: the unit tests beside the build, then those on services; one report of both.
    write('unit.spec', '0');
    write('e2e.spec', '1');
    expect(await testing()).toMatchObject({
      ...{ status: 0, unsteady: ['e2e.spec: test of e2e.spec'], failed: 0 },
      names: ['unit.spec', 'e2e.spec'],
    });
    write('unit.spec', '2');
    expect(await testing()).toMatchObject({ status: 1, unsteady: [], failed: 1 });
    // So many are no accident.
    expect(await testing(1, 1, 1, 1, 1, 1)).toMatchObject({ status: 1, err: '' });
  });

  it('let the program that runs answer signals', async () => {
    const child = spawn(process.execPath, [join(checkout, 'tools/bootstrap.mjs'), 'start']);
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    await expect.poll(() => out, { timeout: 10_000 }).toBe('up\n');
    child.kill('SIGTERM');
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect([status, out]).toEqual([0, 'up\ndown\n']);
  });
});
