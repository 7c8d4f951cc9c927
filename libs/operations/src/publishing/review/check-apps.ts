import { posix } from 'node:path';
import type { SnapContents } from './open-snap.js';
import { ReviewProblem } from './problem.js';
import { asMap, textOf, textsOf } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

const COMMANDS = ['command', 'stop-command', 'reload-command', 'post-stop-command'] as const;

/** snapd's white list of what a command line may be made of. */
const COMMAND_LINE = /^[A-Za-z0-9/. _#:$-]*$/;
const APP_NAME = /^[a-zA-Z0-9](?:-?[a-zA-Z0-9])*$/;

const refuse = (message: string): ReviewProblem => new ReviewProblem('bad-apps', message);

/** Every program that an app starts lies in the snap. */
export function checkApps(yaml: YamlMap, contents: SnapContents): void {
  const value = yaml.get('apps');
  if (value === undefined || value === '') return;
  const apps = asMap(value);
  if (!apps) throw refuse(`'apps' is not a map`);
  for (const [name, app] of apps) {
    if (!APP_NAME.test(name)) throw refuse(`'${name}' is not the name of an app`);
    checkApp(name, asMap(app), contents);
  }
}

function checkApp(name: string, app: YamlMap | undefined, contents: SnapContents): void {
  if (!app) throw refuse(`the app '${name}' is not a map`);
  const lines = COMMANDS.map((key) => textOf(app, key, 'bad-apps')).filter(
    (line) => line !== undefined,
  );
  for (const line of [...lines, ...textsOf(app, 'command-chain', 'bad-apps')]) {
    if (!COMMAND_LINE.test(line))
      throw refuse(`the app '${name}' has characters in a command that are not allowed`);
    const [program = ''] = line.trim().split(' ');
    checkProgram(name, program.replace(/^\$SNAP\//, ''), contents);
  }
}

function checkProgram(app: string, program: string, { entries }: SnapContents): void {
  const path = posix.normalize(program);
  if (program === '' || posix.isAbsolute(program) || path === '..' || path.startsWith('../')) {
    throw refuse(`the app '${app}' starts '${program}', which is not inside the snap`);
  }
  // What lies behind a link is known on the device only.
  const folders = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  if (folders.some((folder) => entries.get(folder)?.kind === 'link')) return;
  const entry = entries.get(path);
  if (entry?.kind !== 'file')
    throw refuse(`the app '${app}' starts '${path}', which is not in the snap`);
  if (!entry.isExecutable)
    throw refuse(`the app '${app}' starts '${path}', which nobody may execute`);
}
