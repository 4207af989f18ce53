import type { Blockade } from "./endpoint-gate.js";
import type { StoredEvent } from "./stored-event.js";

/** A delivery in memory, under a lease of this process. */
export interface Job {
  readonly deliveryId: string;
  readonly tenantId: string;
  readonly event: StoredEvent;
  readonly recipient: Recipient;
  readonly leaseNo: number;
  readonly leasedUntilMs: number;
  /** Attempts made so far, and how many of them before it was put back in the queue by hand. */
  readonly attempts: number;
  readonly firstAttempt: number;
  readonly deadlineMs: number | null;
  /** Its payload is gone: there is nothing to send. */
  readonly expunged?: boolean;
  /** Its event or direct send is no longer stored: nobody knows what there was to send. */
  readonly missing?: boolean;
  /** How its endpoint was when it was read; null for a healthy one. */
  readonly health: Blockade | null;
  /** The one delivery that may be attempted while the circuit breaker is open. */
  readonly isProbe: boolean;
  /** Of whoever published it: `traceparent`, and after a space `tracestate`. */
  readonly traceContext: string | null;
}

/** An endpoint, by its id and the version that the job was made for; or the destination and encrypted target of a direct send. */
export type Recipient =
  | { readonly kind: "endpoint"; readonly endpointId: string; readonly version: number | null }
  | { readonly kind: "direct"; readonly destination: string; readonly target: string };

/** Whether it can wait outside the line until its endpoint has room: a direct send has none, and one that is gone takes nothing out. */
export function canBeSetAside({ recipient }: Job): boolean {
  return recipient.kind === "endpoint" && recipient.version !== null;
}

/** What shares one line and one limit: the deliveries of an endpoint, or a tenant's direct sends to a destination. */
export function laneOf(job: Job): string {
  return job.recipient.kind === "endpoint"
    ? job.recipient.endpointId
    : `${job.recipient.destination}\u0000${job.tenantId}`;
}
