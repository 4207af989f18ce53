/** Where a replay guard remembers. Shared by all processes that receive the same messages, or a replay can pass. */
export interface ReplayStore {
  /** Keeps the key for so long, and answers true, or answers false when it is kept already. In one atomic step. */
  add(key: string, ttlSeconds: number): boolean | Promise<boolean>;
  delete(key: string): unknown;
}

export interface ReplayGuardOptions {
  /** At least the whole window in which a request verifies, past and future. Default 900. */
  readonly ttlSeconds?: number;
  /** Stands in front of each key, so that several senders can share a store. Default: nothing. */
  readonly scope?: string;
}

export interface ReplayGuard {
  /**
   * True for the first message with this id, false for every further one. Rejects when the store does: then answer
   * 500, so that the sender tries again.
   */
  accept(message: { readonly id?: string | undefined }): Promise<boolean>;
  /** Call it when the handling failed, so that the sender's next attempt is accepted. */
  forget(message: { readonly id?: string | undefined }): Promise<void>;
}

/**
 * Accepts each message id once. Ask it after `verify`: only then is the id the sender's.
 *
 * @example
 * const guard = createReplayGuard(createMemoryReplayStore());
 * if (!(await guard.accept(verify(body, headers, options)))) return new Response(null, { status: 200 });
 */
export function createReplayGuard(
  store: ReplayStore,
  { ttlSeconds = 900, scope = "" }: ReplayGuardOptions = {},
): ReplayGuard {
  return {
    accept: async (message) => await store.add(scope + idOf(message), ttlSeconds),
    forget: async (message) => {
      await store.delete(scope + idOf(message));
    },
  };
}

function idOf({ id }: { readonly id?: string | undefined }): string {
  if (id) return id;
  throw new TypeError("The message has no id: hand over { id }, such as one from the verified body.");
}

export interface MemoryReplayStoreOptions {
  /** Above it `add` throws a RangeError instead of forgetting. Default 100,000. */
  readonly maxKeys?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** For one process: what it knows ends with it. */
export function createMemoryReplayStore({
  maxKeys = 100_000,
  now = Date.now,
}: MemoryReplayStoreOptions = {}): ReplayStore {
  const expiries = new Map<string, number>();

  // Entries stand in the order they came in, which is that of their expiry as long as all have the same ttlSeconds.
  function dropExpiredInFront(nowMs: number): void {
    for (const [key, expiry] of expiries) {
      if (expiry > nowMs) return;
      expiries.delete(key);
    }
  }

  function dropAllExpired(nowMs: number): void {
    for (const [key, expiry] of expiries) if (expiry <= nowMs) expiries.delete(key);
  }

  return {
    add(key, ttlSeconds) {
      const nowMs = now();
      dropExpiredInFront(nowMs);
      if ((expiries.get(key) ?? 0) > nowMs) return false;
      if (expiries.size >= maxKeys) dropAllExpired(nowMs);
      if (expiries.size >= maxKeys) throw new RangeError(`The replay store holds ${maxKeys} keys already.`);
      expiries.delete(key);
      expiries.set(key, nowMs + ttlSeconds * 1000);
      return true;
    },
    delete: (key) => expiries.delete(key),
  };
}
