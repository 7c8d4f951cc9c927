/**
 * Says a message once per `windowMs` and counts the rest: with Redis full, a worker retries in a tight loop and each error
 * carries a whole script, thousands of lines a second (local-stack.md 4.4). Only the message, never the error object.
 */
export function throttledReporter(
  report: (message: string) => void,
  windowMs = 10_000,
  now: () => number = Date.now,
): (error: unknown) => void {
  const seen = new Map<string, { at: number; suppressed: number }>();
  return (error) => {
    const message = messageOf(error);
    const last = seen.get(message);
    if (last && now() - last.at < windowMs) {
      last.suppressed++;
      return;
    }
    report(last?.suppressed ? `${message} (and ${last.suppressed} more times)` : message);
    if (seen.size > 100) seen.clear();
    seen.set(message, { at: now(), suppressed: 0 });
  };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A refused connection is an AggregateError with an empty message and a code.
  const code = (error as NodeJS.ErrnoException).code;
  return (error.message || code || error.name).split('\n')[0]?.slice(0, 300) ?? error.name;
}
