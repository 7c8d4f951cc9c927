import { breaksRule } from '../values.js';

/** A compiled regular expression that matches whole texts. */
export interface Pattern {
  test(text: string): boolean;
}

export function compilePattern(source: string, where: string): Pattern {
  try {
    return new RegExp(`^(?:${source})$`, 's');
  } catch {
    breaksRule(`${where} is not a valid regular expression`);
  }
}
