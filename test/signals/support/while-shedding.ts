import { LoadGuard } from '../../../apps/store-api/src/device/load/load-guard.js';
import type { LoadShedder } from '../../../apps/store-api/src/device/load/load-shedder.js';
import type { SignalStore } from './signal-store.js';

/** The store is told again and again that a newcomer waits for seconds: it sheds everything that may be shed. */
export async function whileShedding(store: SignalStore, work: () => Promise<void>): Promise<void> {
  // Private: nobody else tells it what it has measured.
  const guard: unknown = store.steered.wire.app.get(LoadGuard);
  const { shedder } = guard as { shedder: LoadShedder };
  const press = (): void => {
    while (shedder.sharePercent < 100) shedder.observe(60_000);
  };
  press();
  const timer = setInterval(press, 5);
  try {
    await work();
  } finally {
    clearInterval(timer);
    while (shedder.sharePercent > 0) shedder.observe(0);
  }
}
