/** How the dispatcher is doing. */
export interface DispatcherHealth {
  /**
   * - `stopped`: `start` was not called, or `stop` was
   * - `working`: the loop reads the queue
   * - `stalled`: the loop runs, and for 5 seconds (or 5 times `pollMs`) could not read the queue, or write outcomes
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
  /** For how long; null when nothing is due. */
  readonly oldestDueAgeMs: number | null;
}

export const MAX_COUNTED = 10_000;
