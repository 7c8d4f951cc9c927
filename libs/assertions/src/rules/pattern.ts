import { breaksRule } from '../values.js';
import { compileProgram, runProgram, type Program } from './pattern-program.js';
import { PatternSyntaxError } from './pattern-reader.js';
import { parsePattern } from './pattern-syntax.js';

/** A compiled regular expression. */
export interface Pattern {
  /** Takes time in proportion to the text, whatever the expression. */
  test(text: string): boolean;
}

/**
 * Compiles a regular expression as the reference does, framed as `^(…)$` (assertions.md 10.2). The syntax is that of RE2:
 * JavaScript's own expressions read some texts differently and can take exponential time.
 *
 * @throws AssertionError `header value breaks a rule of the type`
 */
export function compilePattern(source: string, where: string): Pattern {
  try {
    const node = parsePattern(`^(${source})$`);
    let program: Program | undefined;
    return { test: (text) => runProgram((program ??= compileProgram(node)), text) };
  } catch (error) {
    if (!(error instanceof PatternSyntaxError)) throw error;
    breaksRule(`${where} has an invalid regular expression: ${error.message}`);
  }
}
