/** How the dispatcher is doing. */
export interface DispatcherHealth {
  /**
   * - `stopped`: `start` was not called, or `stop` was
   * - `working`: the loop reads the queue
   * - `stalled`: the loop runs, and could not read the queue for a while
   */
  readonly status: "stopped" | "working" | "stalled";
  /** Attempts in flight in this process. */
  readonly inFlight: number;
  /** Deliveries that wait in this process's memory. */
  readonly waiting: number;
  /** When this process last read the queue; null when never. */
  readonly lastReadAt: Date | null;
  /** The queue in the database, of all processes. Null when it could not be asked. */
  readonly queue: QueueHealth | null;
}

export interface QueueHealth {
  /** Due and not taken by anybody yet. Counted up to 10,000. */
  readonly due: number;
  /** Held for a disabled endpoint, or set aside for a busy one. Counted up to 10,000. */
  readonly held: number;
  readonly oldestDueAt: Date | null;
}

export const MAX_COUNTED = 10_000;
