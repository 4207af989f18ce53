/** Orders the use of one connection: single statements flow through, a transaction has it to itself. */
export interface ExclusiveQueue {
  /** Runs as soon as no exclusive work runs or waits before it. */
  shared<T>(work: () => Promise<T>): Promise<T>;
  /** Runs alone, in the order of asking. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
}

export function createExclusiveQueue(): ExclusiveQueue {
  const waiting: { readonly exclusive: boolean; readonly start: () => void }[] = [];
  let taken = false;

  function admit(exclusive: boolean): Promise<void> | undefined {
    if (!taken && waiting.length === 0) {
      taken = exclusive;
      return undefined;
    }
    return new Promise((start) => {
      waiting.push({ exclusive, start });
    });
  }

  function release(): void {
    taken = false;
    while (!taken) {
      const next = waiting.shift();
      if (!next) return;
      taken = next.exclusive;
      next.start();
    }
  }

  return {
    async shared(work) {
      const turn = admit(false);
      if (turn !== undefined) await turn;
      return work();
    },
    async exclusive(work) {
      const turn = admit(true);
      if (turn !== undefined) await turn;
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
