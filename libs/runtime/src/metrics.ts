import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Labels name routes, jobs and outcomes; never devices, snaps or brands (house 2.9). */
export interface Metrics {
  readonly registry: Registry;
  counter<Label extends string>(
    name: string,
    help: string,
    labels?: readonly Label[],
  ): Counter<Label>;
  /** `collect` sets it whenever it is asked for. */
  gauge<Label extends string>(
    name: string,
    help: string,
    labels?: readonly Label[],
    collect?: (gauge: Gauge<Label>) => void,
  ): Gauge<Label>;
  histogram<Label extends string>(
    name: string,
    help: string,
    labels?: readonly Label[],
    buckets?: readonly number[],
  ): Histogram<Label>;
}

/** In seconds, for requests and jobs. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A registry of its own for each process (and each test), with the figures of Node in it. */
export function createMetrics(app: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ app });
  collectDefaultMetrics({ register: registry });
  const common = (name: string, help: string, labels: readonly string[] = []) => ({
    name: `brandstore_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    registry,
    counter: <L extends string>(name: string, help: string, labels?: readonly L[]) =>
      new Counter(common(name, help, labels)),
    gauge: <L extends string>(
      name: string,
      help: string,
      labels?: readonly L[],
      collect?: (gauge: Gauge<L>) => void,
    ) => {
      const gauge: Gauge<L> = new Gauge({
        ...common(name, help, labels),
        ...(collect && { collect: () => collect(gauge) }),
      });
      return gauge;
    },
    histogram: <L extends string>(
      name: string,
      help: string,
      labels?: readonly L[],
      buckets: readonly number[] = BUCKETS,
    ) => new Histogram({ ...common(name, help, labels), buckets: [...buckets] }),
  };
}
