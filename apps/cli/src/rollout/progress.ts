import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { Io } from '../io.js';
import { waveName } from './plan-text.js';
import { progressOf, type RolloutStatus } from './rollout-status.js';

/** Shows a rollout again and again. */
export interface Progress {
  show(rollout: RolloutStatus): void;
  end(): void;
}

/** Bars at a terminal; else one line whenever something has changed, or one line of JSON. */
export const progressOn = (io: Io, { json }: { readonly json?: boolean }): Progress =>
  io.screen === null || json ? new Lines(io, json ?? false) : new Bars(io.screen);

class Lines implements Progress {
  private last = '';

  constructor(
    private readonly io: Io,
    private readonly json: boolean,
  ) {}

  show(rollout: RolloutStatus): void {
    const line = this.json ? JSON.stringify(rollout) : changedText(rollout);
    if (line === this.last) return;
    this.last = line;
    this.io.out(`${line}\n`);
  }

  end(): void {}
}

function changedText(rollout: RolloutStatus): string {
  const waves = rollout.waves.map(({ no, state }) => {
    const { members, updated } = progressOf(rollout, no);
    return `${nameOf(rollout, no)}: ${state} ${updated}/${members}`;
  });
  return `${rollout.state}  ${waves.join('  ')}`;
}

class Bars implements Progress {
  private readonly bars = new Map<number, SingleBar>();
  private readonly all: MultiBar;
  private seen = 0;

  constructor(stream: NodeJS.WritableStream) {
    const format = '{name} {bar} {updated}/{members} updated, {admitted} admitted  {state}';
    const options = { format, stream, hideCursor: true, emptyOnZero: true, barsize: 30 };
    this.all = new MultiBar(options, Presets.shades_classic);
  }

  show(rollout: RolloutStatus): void {
    for (const { seq, at, fromState, toState, cause } of rollout.transitions) {
      if (seq <= this.seen) continue;
      this.seen = seq;
      this.all.log(`${at}  ${fromState ?? 'new'} → ${toState}: ${cause}\n`);
    }
    const width = Math.max(...rollout.waves.map(({ no }) => nameOf(rollout, no).length));
    for (const { no, state } of rollout.waves) {
      const { members, admitted, updated } = progressOf(rollout, no);
      const payload = {
        name: nameOf(rollout, no).padEnd(width),
        members,
        admitted,
        updated,
        state,
      };
      const bar = this.bars.get(no) ?? this.all.create(members, updated, payload);
      this.bars.set(no, bar);
      bar.setTotal(members);
      bar.update(updated, payload);
    }
    this.all.update();
  }

  end(): void {
    this.all.stop();
  }
}

const nameOf = ({ plan }: RolloutStatus, no: number): string =>
  waveName({ name: plan.waves[no - 1]?.name ?? null }, no);
