/** Something an operator must know: written to the log as an error and counted (update-control.md 2.6). `name` like `clock-off`. */
export type Alarm = (name: string, detail: Readonly<Record<string, unknown>>) => void;
