import { isIP, type Socket } from "node:net";
import type { buildConnector } from "undici";

/** When the parts of making a connection were over, in `performance.now()`; null: not yet, or never. */
export interface ConnectionTiming {
  /** Its host is a name, to be resolved. */
  readonly isNamed: boolean;
  readonly isSecure: boolean;
  readonly startedAtMs: number;
  resolvedAtMs: number | null;
  connectedAtMs: number | null;
  securedAtMs: number | null;
}

/**
 * Brings a pool's connections and requests together. The pool says to nobody which request a connection is made for,
 * but it begins one within `dispatch`, and starts the request within the connector's callback. So whoever sends is
 * `waiting` for exactly as long as `dispatch` runs, and a connection is `opened` for exactly as long as the callback
 * does: what happens at any other time belongs to a connection that was there, and finds neither.
 */
export interface ConnectionWatch {
  waiting: { connection: ConnectionTiming | null } | null;
  opened: ConnectionTiming | null;
}

export function createConnectionWatch(): ConnectionWatch {
  return { waiting: null, opened: null };
}

/** Begins to time a connection. */
export function timeConnection(watch: ConnectionWatch, { hostname, protocol }: buildConnector.Options) {
  const timing: ConnectionTiming = {
    isNamed: isIP(hostname) === 0,
    isSecure: protocol === "https:",
    startedAtMs: performance.now(),
    resolvedAtMs: null,
    connectedAtMs: null,
    securedAtMs: null,
  };
  if (watch.waiting !== null) watch.waiting.connection = timing;
  return timing;
}

/** The callback, within which the request that was waited for takes the timing. */
export function handOver(
  watch: ConnectionWatch,
  timing: ConnectionTiming,
  callback: buildConnector.Callback,
): buildConnector.Callback {
  return (...outcome) => {
    if (outcome[0] === null && timing.isSecure) timing.securedAtMs = performance.now();
    watch.opened = timing;
    try {
      callback(...outcome);
    } finally {
      watch.opened = null;
    }
  };
}

/** Notes when a socket that connects by itself has resolved the name, and when it is connected. */
export function timeSocket(timing: ConnectionTiming, socket: Socket): void {
  socket.on("lookup", (error: Error | null) => {
    // Told once for each address.
    if (error === null) timing.resolvedAtMs ??= performance.now();
  });
  socket.once("connect", () => {
    timing.connectedAtMs = performance.now();
  });
}
