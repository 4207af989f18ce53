import type { Clock } from "@hookline/core";

/** Trouble that a test asks for. */
export interface FaultBox {
  /** Requests and sockets are cut for so long. */
  refuseConnections(forMs: number): void;
  /** The next REST requests are answered with this. `path` limits it to paths that contain it. */
  failRequests(fault: RequestFault): void;
  /** The follow-up addresses of an interaction are unknown for so long after its first answer. */
  holdFollowUps(forMs: number): void;
  clear(): void;
  isRefusing(): boolean;
  /** The trouble for this request, and one less left. */
  takeFor(path: string): RequestFault | undefined;
  followUpHoldMs(): number;
}

export interface RequestFault {
  readonly count: number;
  /** 500 to 599, or 429. */
  readonly status: number;
  readonly path?: string | undefined;
  /** For 429. */
  readonly retryAfterSeconds?: number | undefined;
  readonly global?: boolean | undefined;
}

export function createFaultBox(clock: Clock): FaultBox {
  let refusingUntilMs = 0;
  let holdMs = 0;
  let failing: { fault: RequestFault; left: number }[] = [];

  return {
    refuseConnections(forMs) {
      refusingUntilMs = clock.now() + forMs;
    },
    failRequests(fault) {
      failing.push({ fault, left: fault.count });
    },
    holdFollowUps(forMs) {
      holdMs = forMs;
    },
    clear() {
      refusingUntilMs = 0;
      holdMs = 0;
      failing = [];
    },
    isRefusing: () => clock.now() < refusingUntilMs,
    takeFor(path) {
      const found = failing.find(({ fault }) => fault.path === undefined || path.includes(fault.path));
      if (!found) {
        return undefined;
      }
      found.left -= 1;
      failing = failing.filter(({ left }) => left > 0);
      return found.fault;
    },
    followUpHoldMs: () => holdMs,
  };
}
