import type { Transaction } from "./transaction.js";

/** Small values that all API processes share. A connector's keys are its own. */
export interface SharedState {
  /**
   * The values of those keys that are known and have not run out. With `transaction`, of the engine's database, they are
   * read in there, and a {@link SharedEntry} with `afterReaders` waits until it has ended.
   */
  get(
    keys: readonly string[],
    options?: { readonly transaction?: Transaction },
  ): Promise<ReadonlyMap<string, SharedValue>>;
  /**
   * Writes one value and answers its version. With `ifVersion` only where that is still the version, 0 for a key that
   * is not known; null where it is not, and nothing was written.
   */
  put(key: string, entry: SharedEntry): Promise<number | null>;
}

/** What stands under a key. `version` grows with each write. */
export interface SharedValue {
  readonly value: string;
  readonly version: number;
}

export interface SharedEntry {
  readonly value: string;
  /** For how long it is known at least. */
  readonly ttlSeconds: number;
  readonly ifVersion?: number;
  /**
   * Whether it is written only once no transaction is open any more that has read what stood there, so that none of them
   * can commit what relied on it afterwards.
   */
  readonly afterReaders?: boolean;
}
