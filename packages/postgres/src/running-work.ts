/** Work that is under way, which a close waits for. */
export interface RunningWork {
  track<T>(work: Promise<T>): Promise<T>;
  /** Resolves when what runs now has ended, well or not. */
  settled(): Promise<void>;
}

export function createRunningWork(): RunningWork {
  const running = new Set<Promise<unknown>>();
  return {
    async track(work) {
      running.add(work);
      try {
        return await work;
      } finally {
        running.delete(work);
      }
    },
    async settled() {
      await Promise.allSettled(running);
    },
  };
}
