import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
// The transformer that Vitest brings and uses itself; `typescript` would take ten times as long to load, for each signer.
import { transform } from 'rolldown/utils';

/** Sources import `./x.js` and mean `./x.ts`. */
export async function resolve(specifier, context, next) {
  const isSource = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
  return next(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const path = fileURLToPath(url);
  const { code, errors } = await transform(path, await readFile(path, 'utf8'), { tsconfig: false });
  if (errors.length > 0) throw new Error(`cannot read ${path}: ${errors[0].message}`);
  return { format: 'module', source: code, shortCircuit: true };
}
