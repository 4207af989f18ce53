/** Lets holders of the same key in one after another, in the order of asking. */
export interface KeyedLock {
  /** Resolves to the function that lets the next one in. */
  acquire(key: string): Promise<() => void>;
}

export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<void>>();
  return {
    async acquire(key) {
      const before = tails.get(key);
      let release: () => void = () => {};
      const tail = new Promise<void>((resolve) => {
        release = resolve;
      });
      tails.set(key, tail);
      await before;
      return () => {
        if (tails.get(key) === tail) tails.delete(key);
        release();
      };
    },
  };
}
