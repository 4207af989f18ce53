import type { Event } from "./event.js";
import type { SchemaResult } from "./schema.js";

/**
 * How a delivery becomes a request or a run, and how its answer is read. One delivery is one request.
 *
 * Both functions are called again for each attempt and keep nothing themselves: what has to be known next time is
 * `state`, kept per endpoint and entity. They are methods so that a list can hold destinations of different targets.
 */
export interface Destination<Target = unknown, State = unknown> {
  /** `webhook`, `discord`, `automation` … */
  readonly id: string;
  /**
   * Reads the target that a caller gives for an endpoint, before it is stored: answers what is stored, or what is wrong
   * at which path below the target. Paths and messages are shown to the caller, so let none repeat a secret. Absent: any
   * target is taken, and a wrong one shows in the first delivery.
   */
  parseTarget?(target: unknown): SchemaResult<Target>;
  /** Which entity an event is about, such as a machine's id; state is kept for each. Absent: one state per endpoint. */
  entityOf?(event: Event): string | undefined;
  /**
   * Says what one attempt does; null means that there is nothing to do, and the delivery counts as delivered.
   * A throw is a permanent failure with the error's message as its reason.
   */
  plan(event: Event, context: DestinationContext<Target, State>): Plan<State> | Promise<Plan<State>>;
  /** Reads the answer to a planned request. Absent: 2xx is delivered, 410 is dead, the rest is tried again. */
  interpret?(
    response: DestinationResponse,
    context: DestinationContext<Target, State> & { readonly event: Event },
  ): Interpretation<State>;
  /** Called when a delivery with a deadline is given up at it, or before it for want of attempts, such as to say sorry. */
  expire?(event: Event, context: DestinationContext<Target, State>): Promise<void>;
}

export interface DestinationContext<Target = unknown, State = unknown> {
  readonly endpoint: DestinationEndpoint<Target>;
  /** What the last interpretation for this endpoint and entity left, or null. */
  readonly state: State | null;
  readonly deliveryId: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** When this attempt began. */
  readonly now: Date;
  /** Ends when the attempt's time limit does. */
  readonly signal: AbortSignal;
}

/** The subscriber as a destination sees it. A direct send has no id of an endpoint. */
export interface DestinationEndpoint<Target = unknown> {
  readonly id: string | null;
  readonly tenantId: string;
  readonly target: Target;
  /** The secrets that sign, newest first; empty for destinations that do not sign. */
  readonly secrets: readonly string[];
}

/** What one attempt does. */
export type Plan<State = unknown> =
  | { readonly kind: "request"; readonly request: DestinationRequest }
  | { readonly kind: "run"; readonly run: () => Promise<Interpretation<State>> }
  /** Not now, such as for a rate limit: the delivery comes back after this time. That is no attempt. */
  | { readonly kind: "wait"; readonly waitMs: number }
  | null;

export interface DestinationRequest {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as it is: what was signed is what goes out. */
  readonly body: string | Uint8Array;
  /** Absent: the system's authorities, and no certificate of our own. */
  readonly tls?: RequestTls;
}

/** How one request's connection is secured. Texts in PEM. */
export interface RequestTls {
  /** The authorities that the server's certificate may come from, instead of the system's. */
  readonly ca?: string;
  /** A certificate that is shown to the server, with `key`. */
  readonly cert?: string;
  readonly key?: string;
}

export interface DestinationResponse {
  readonly status: number;
  /** Lower-case names; the last one of a repeated header. */
  readonly headers: Readonly<Record<string, string>>;
  /** Cut at the dispatcher's limit. */
  readonly body: string;
}

/** What became of an attempt. */
export interface Interpretation<State = unknown> {
  /** `dead`: another attempt would change nothing. */
  readonly outcome: "delivered" | "retry" | "dead";
  /** At the earliest, for `retry`. */
  readonly retryAfterMs?: number;
  /** For `retry`: after exactly this time, whatever the schedule says of it. The attempt counts in the schedule all the same. */
  readonly retryInMs?: number;
  /** Why, for people who read the attempt log. No secrets. */
  readonly reason?: string;
  /** The endpoint is gone for good (such as 410): it is disabled. */
  readonly disableEndpoint?: boolean;
  /** Replaces the state of this endpoint and entity; absent leaves it. */
  readonly state?: State;
}

/** Types a destination; adds nothing at run time. */
export function defineDestination<Target = unknown, State = unknown>(
  destination: Destination<Target, State>,
): Destination<Target, State> {
  return destination;
}
