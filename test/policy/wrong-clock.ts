/** Environment of a process whose own clock is wrong by so much: only `Date` is touched, as a wrong system clock would show there. */
export function wrongClock(offMs: number): Record<string, string> {
  const code = `
    const real = Date;
    globalThis.Date = new Proxy(real, {
      construct: (target, given) => (given.length === 0 ? new target(real.now() + ${offMs}) : new target(...given)),
      get: (target, name) => (name === 'now' ? () => real.now() + ${offMs} : Reflect.get(target, name)),
    });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}
