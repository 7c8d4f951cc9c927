import { isTimezone, scheduleProblems, type Schedule, type Window } from '#libs/update-control';

/** Windows and freezes as somebody says them; what is not said is none. */
export interface ScheduleOrder {
  readonly windows?: readonly WindowOrder[] | null | undefined;
  readonly freezes?: Schedule['freezes'] | null | undefined;
}

type WindowOrder = Omit<Window, 'lastOfferBeforeMinutes'> & {
  readonly lastOfferBeforeMinutes?: number | null | undefined;
};

/** For a fleet or a brand: when its devices are offered anything, and the clock on their wall. */
export interface WhenOrder {
  /** IANA name. */
  readonly timezone?: string | null | undefined;
  readonly schedule?: ScheduleOrder | null | undefined;
}

interface Problem {
  readonly path: string;
  readonly message: string;
}

/** The whole schedule of an order; null where it says nothing, which means always. */
export function scheduleOf(order: ScheduleOrder | null | undefined): Schedule | null {
  const windows = (order?.windows ?? []).map(({ days, from, to, lastOfferBeforeMinutes }) => ({
    ...{ days, from, to },
    ...(typeof lastOfferBeforeMinutes === 'number' && { lastOfferBeforeMinutes }),
  }));
  const freezes = (order?.freezes ?? []).map(({ from, until, reason }) => ({
    ...{ from, until, reason },
  }));
  return windows.length + freezes.length === 0 ? null : { windows, freezes };
}

/** Everything that is wrong with it, under `timezone` and `schedule`. */
export function whenProblems({ timezone, schedule }: WhenOrder): Problem[] {
  const whole = scheduleOf(schedule);
  const problems: Problem[] = (whole === null ? [] : scheduleProblems(whole)).map(
    ({ path, message }) => ({ path: `schedule.${path}`, message }),
  );
  if (timezone !== undefined && timezone !== null && !isTimezone(timezone))
    problems.push({ path: 'timezone', message: `cannot find time zone ${timezone}` });
  return problems;
}
