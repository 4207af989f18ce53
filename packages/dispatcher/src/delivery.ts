import type { Event } from "@hookline/core";
import type { Ending } from "./sql/record-attempts.js";

/** How exactly a delivery ended: `skipped` had nothing to send, `refused` was dead at once, `exhausted` used up its schedule, `expunged` lost its payload. */
export type DeliveryEnding = Ending;

/**
 * - `pending`: waits for its next attempt, or is being attempted
 * - `held`: its endpoint is disabled
 * - `delivered`, `dead`, `expired`: finished
 */
export type DeliveryStatus = "pending" | "held" | "delivered" | "dead" | "expired";

/** One event for one endpoint, or one direct send. */
export interface Delivery {
  readonly id: string;
  readonly tenantId: string;
  readonly status: DeliveryStatus;
  /** How exactly it ended; null while it has not. `exhausted` is a `dead` delivery whose schedule is used up. */
  readonly ending: DeliveryEnding | null;
  /** Why it ended so, when it was not delivered. */
  readonly reason: string | null;
  /** Null for a direct send. */
  readonly eventId: string | null;
  /** Null for a direct send. */
  readonly eventType: string | null;
  /** Null for a direct send. */
  readonly endpointId: string | null;
  /** Null when its endpoint is gone. */
  readonly destination: string | null;
  /** Made so far. */
  readonly attempts: number;
  /** Null when there will be none. While it is being attempted: when its lease runs out. */
  readonly nextAttemptAt: Date | null;
  readonly deadline: Date | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

/** One try of a delivery. */
export interface Attempt {
  /** 1 for the first. */
  readonly attempt: number;
  readonly startedAt: Date;
  readonly durationMs: number;
  /** Null for work in this process, and where no request was begun. */
  readonly phases: AttemptPhases | null;
  readonly outcome: "delivered" | "retry" | "dead" | "expired";
  /** Of the response; null when none came or none was asked for. */
  readonly status: number | null;
  readonly errorCode: AttemptErrorCode | null;
  readonly reason: string | null;
  /** With secrets blacked out. */
  readonly requestHeaders: Readonly<Record<string, string>> | null;
  /** Cut, with secrets blacked out. */
  readonly responseBody: string | null;
  readonly nextAttemptAt: Date | null;
}

/**
 * Where the time of a request went, in milliseconds with one decimal. The phase in which it failed or ran out of time has
 * what it took until then. Null: there was no such phase, or it was not reached.
 */
export interface AttemptPhases {
  /** To resolve the host's name and judge its addresses. Null for an address, and on a connection that was used again. */
  readonly dnsMs: number | null;
  /** To connect by TCP; through a proxy, until it answered `CONNECT`. Null on a connection that was used again. */
  readonly connectMs: number | null;
  /** Null for `http:`, and on a connection that was used again. */
  readonly tlsMs: number | null;
  /** From when the request was sent until the answer's head was there. */
  readonly firstByteMs: number | null;
  /** From then until its end, or until what was read of it. */
  readonly bodyMs: number | null;
}

/** A delivery with what it is about and how its last attempt went. */
export interface LoggedDelivery extends Delivery {
  /** Null for a direct send. */
  readonly event: Event | null;
  /** Null when there was none yet. */
  readonly lastAttempt: Attempt | null;
}

/** A delivery with its attempts, first to last. */
export interface DeliveryDetail extends Delivery {
  readonly log: readonly Attempt[];
}

/**
 * - `http_status`: the answer was neither 2xx nor a redirect; `redirect`: it was one, and is not followed
 * - `timeout`: no answer within the time limit; `connection_refused`, `connection_reset`, `dns_failed`, `tls_failed`, `network_error`
 * - `invalid_response`: what came is no answer by HTTP/1.1, has headers without end, or promises one again and again
 * - `address_refused`: the address guard does not allow the target
 * - `proxy_failed`: the forward proxy could not be reached, or did not connect
 * - `plan_failed`: the destination could not make a request of the event
 * - `run_failed`: the destination's own work threw
 * - `interpret_failed`: the destination could not read the answer; its status alone decided
 * - `refused`: the destination read the answer as a failure
 * - `expired`: the deadline passed, or the schedule was used up before it; `endpoint_deleted`: there is nobody left to deliver to;
 *   `payload_expunged`: there is nothing left to deliver
 * - `rate_limited`: a test made no request, since the destination has to wait for a rate limit first
 * - `decrypt_failed`: no request was made, since the target or a secret cannot be read with the keys that there are
 */
export type AttemptErrorCode =
  | "http_status"
  | "redirect"
  | "timeout"
  | "connection_refused"
  | "connection_reset"
  | "dns_failed"
  | "tls_failed"
  | "network_error"
  | "invalid_response"
  | "address_refused"
  | "proxy_failed"
  | "plan_failed"
  | "run_failed"
  | "interpret_failed"
  | "refused"
  | "expired"
  | "endpoint_deleted"
  | "payload_expunged"
  | "decrypt_failed"
  | "rate_limited";
