import type { EndpointPolicy } from "./endpoint.js";
import type { EndpointSignal } from "./endpoint-slowdown.js";
import type { Job } from "./job.js";
import type { AttemptRow } from "./sql/record-attempts.js";

/** An attempt as it is recorded, with what it says about its endpoint. */
export interface AttemptOutcome {
  readonly row: AttemptRow;
  readonly job: Job;
  /** Null when the endpoint was not asked. */
  readonly endpoint: AskedEndpoint | null;
}

export interface AskedEndpoint {
  readonly id: string;
  /** A later version is not blamed for what this one answered. */
  readonly version: number;
  readonly policy: EndpointPolicy;
  readonly signal: EndpointSignal;
  /** It is gone for good. */
  readonly isGone: boolean;
  /** It asked to be left alone until then. */
  readonly heldUntilMs: number | null;
  /** Where it was asked. */
  readonly target: unknown;
}
