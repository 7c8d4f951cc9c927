/** Resident memory of a process while something went on, by what it says itself. */
export interface MemoryCurve {
  readonly seconds: number;
  readonly startMiB: number;
  readonly samplesMiB: readonly number[];
  /** Highest minus start. */
  readonly growthMiB: number;
}

const EVERY_MS = 250;
const BARS = '▁▂▃▄▅▆▇█';
const WIDTH = 60;

/** Asks the process's metrics until `end`. */
export function watchMemory(metricsUrl: string): { end(): Promise<MemoryCurve> } {
  const began = Date.now();
  const samples: number[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      samples.push(await residentMiB(metricsUrl));
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();
  return {
    end: async () => {
      isOver = true;
      await watching;
      const [startMiB = 0] = samples;
      const growthMiB = Math.max(...samples) - startMiB;
      return { seconds: (Date.now() - began) / 1000, startMiB, samplesMiB: samples, growthMiB };
    },
  };
}

async function residentMiB(metricsUrl: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const found = /^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)/m.exec(text);
  if (!found) throw new Error(`cannot find process_resident_memory_bytes at ${metricsUrl}`);
  return Number(found[1]) / 2 ** 20;
}

/** One line: the curve from nothing to its highest, and what its ends are. */
export function curveOf({ seconds, startMiB, samplesMiB, growthMiB }: MemoryCurve): string {
  const highest = Math.max(...samplesMiB);
  const step = Math.max(1, samplesMiB.length / WIDTH);
  const drawn: string[] = [];
  for (let at = 0; at < samplesMiB.length; at += step) {
    const value = samplesMiB[Math.floor(at)] ?? 0;
    drawn.push(BARS[Math.min(BARS.length - 1, Math.floor((value / highest) * BARS.length))] ?? '');
  }
  const figures = `start ${startMiB.toFixed(0)} MiB, highest ${highest.toFixed(0)} MiB (+${growthMiB.toFixed(0)})`;
  return `store memory over ${seconds.toFixed(0)} s ${drawn.join('')} ${figures}`;
}
