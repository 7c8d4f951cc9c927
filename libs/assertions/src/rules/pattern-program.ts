import { breaksRule } from '../values.js';
import type { CharTest } from './pattern-class.js';
import type { Node, Place } from './pattern-syntax.js';

type Step =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'assert'; readonly place: Place }
  | { readonly kind: 'split'; targets: number[] }
  | { readonly kind: 'match' };

/** Steps of a non-deterministic automaton; each goes on to the next one unless it says otherwise. */
export type Program = readonly Step[];

/** More steps than any sensible constraint has. */
const MAX_STEPS = 20_000;

/** @throws AssertionError `header value breaks a rule of the type` if the expression is too large to be run */
export function compileProgram(node: Node): Program {
  const steps: Step[] = [];
  emit(node, steps);
  push(steps, { kind: 'match' });
  return steps;
}

function push(steps: Step[], step: Step): number {
  if (steps.length >= MAX_STEPS) breaksRule('a regular expression is too large');
  return steps.push(step) - 1;
}

function split(steps: Step[]): { readonly at: number; readonly targets: number[] } {
  const targets: number[] = [];
  return { at: push(steps, { kind: 'split', targets }), targets };
}

function emit(node: Node, steps: Step[]): void {
  switch (node.kind) {
    case 'char':
    case 'assert':
      push(steps, node);
      return;
    case 'sequence':
      for (const each of node.nodes) emit(each, steps);
      return;
    case 'either':
      emitEither(node.nodes, steps);
      return;
    case 'repeat':
      emitRepeat(node.node, node.min, node.max, steps);
  }
}

function emitEither(nodes: readonly Node[], steps: Step[]): void {
  const { targets } = split(steps);
  const ends = nodes.map((node) => {
    targets.push(steps.length);
    emit(node, steps);
    return split(steps).targets;
  });
  for (const end of ends) end.push(steps.length);
}

function emitRepeat(node: Node, min: number, max: number | undefined, steps: Step[]): void {
  for (let count = 0; count < min; count += 1) emit(node, steps);
  const exits: number[][] = [];
  for (let count = min; count < (max ?? min + 1); count += 1) {
    const { at, targets } = split(steps);
    targets.push(steps.length);
    exits.push(targets);
    emit(node, steps);
    if (max === undefined) split(steps).targets.push(at);
  }
  for (const exit of exits) exit.push(steps.length);
}

/** Runs all paths side by side: each character costs at most one visit of each step. */
export function runProgram(program: Program, text: string): boolean {
  const chars = [...text];
  let current: readonly number[] = [];
  for (let at = 0; at <= chars.length; at += 1) {
    // The expression may begin to match anywhere; its own frame holds it to the whole text.
    const reached = follow(program, [...current, 0], chars, at);
    if (reached.some((step) => program[step]?.kind === 'match')) return true;
    const char = chars[at];
    if (char === undefined) break;
    current = reached.filter((step) => consumes(program[step], char)).map((step) => step + 1);
  }
  return false;
}

function consumes(step: Step | undefined, char: string): boolean {
  return step?.kind === 'char' && step.test(char);
}

/** All steps that can be reached without taking a character. */
function follow(
  program: Program,
  from: readonly number[],
  chars: readonly string[],
  at: number,
): number[] {
  const seen = new Uint8Array(program.length);
  const open = [...from];
  const reached: number[] = [];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    const step = program[index];
    if (step === undefined || seen[index] === 1) continue;
    seen[index] = 1;
    if (step.kind === 'split') open.push(...step.targets);
    else if (step.kind === 'assert') {
      if (isAt(step.place, chars, at)) open.push(index + 1);
    } else reached.push(index);
  }
  return reached;
}

function isAt(place: Place, chars: readonly string[], at: number): boolean {
  switch (place) {
    case 'text-start':
      return at === 0;
    case 'text-end':
      return at === chars.length;
    case 'line-start':
      return at === 0 || chars[at - 1] === '\n';
    case 'line-end':
      return at === chars.length || chars[at] === '\n';
    case 'word-edge':
      return isWord(chars[at - 1]) !== isWord(chars[at]);
    case 'no-word-edge':
      return isWord(chars[at - 1]) === isWord(chars[at]);
  }
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /^[0-9A-Za-z_]$/.test(char);
}
