import { ReviewProblem } from './problem.js';
import { textOf } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

export type Confinement = 'strict' | 'classic' | 'devmode';
export type Grade = 'stable' | 'devel';

const CONFINEMENTS: readonly Confinement[] = ['strict', 'classic', 'devmode'];
const GRADES: readonly Grade[] = ['stable', 'devel'];

function oneOf<Word extends string>(yaml: YamlMap, key: string, words: readonly [...Word[]]): Word {
  const text = textOf(yaml, key, `bad-${key}`) ?? words[0];
  const word = words.find((known) => known === text);
  if (word === undefined) {
    throw new ReviewProblem(`bad-${key}`, `'${String(text)}' is not one of ${words.join(', ')}`);
  }
  return word;
}

export const checkConfinement = (yaml: YamlMap): Confinement =>
  oneOf(yaml, 'confinement', CONFINEMENTS);

export const checkGrade = (yaml: YamlMap): Grade => oneOf(yaml, 'grade', GRADES);
