import { Presets, SingleBar } from 'cli-progress';
import type { Io } from './io.js';

/** Shows how much of a file has gone. */
export interface UploadBar {
  show(bytes: number, of: number): void;
  end(): void;
}

/** A bar at a terminal; else a line for each tenth, on standard error, so that logs of CI stay short. */
export const uploadBarOn = (io: Io, name: string): UploadBar =>
  io.screen === null ? new Lines(io, name) : new Bar(io.screen, name);

class Lines implements UploadBar {
  private tenths = 0;

  constructor(
    private readonly io: Io,
    private readonly name: string,
  ) {}

  show(bytes: number, of: number): void {
    const tenths = Math.floor((bytes * 10) / Math.max(of, 1));
    if (tenths <= this.tenths) return;
    this.tenths = tenths;
    this.io.err(`${this.name}: ${tenths * 10} % of ${megabytes(of)} MB`);
  }

  end(): void {}
}

class Bar implements UploadBar {
  private readonly bar: SingleBar;
  private isStarted = false;

  constructor(stream: NodeJS.WritableStream, name: string) {
    const format = `${name} {bar} {percentage} % of {megabytes} MB{eta_formatted}`;
    const options = {
      ...{ format, formatTime: timeLeft, stream },
      ...{ hideCursor: true, barsize: 30, emptyOnZero: true },
    };
    this.bar = new SingleBar(options, Presets.shades_classic);
  }

  show(bytes: number, of: number): void {
    if (!this.isStarted) this.bar.start(of, bytes, { megabytes: megabytes(of) });
    this.isStarted = true;
    this.bar.update(bytes);
  }

  end(): void {
    if (this.isStarted) this.bar.stop();
  }
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);

/** The library tells of no time where it does not know it, as of files that are gone in a moment. */
function timeLeft(seconds: unknown): string {
  if (typeof seconds !== 'number' || seconds === 0) return '';
  return seconds < 90 ? `, ${seconds} s left` : `, ${Math.round(seconds / 60)} min left`;
}
