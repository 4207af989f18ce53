import type { Condition } from "@hookline/core";
import type { RateLimit } from "./limits.js";
import type { RetrySchedule } from "./retry-schedule.js";

/** What `endpoints.create` takes. */
export interface EndpointInput<Target = unknown> {
  readonly tenantId: string;
  /** Unique within the tenant. */
  readonly name?: string;
  /** The id of a registered destination; `webhook` when absent. */
  readonly destination?: string;
  /** Where to, in the destination's own shape; `{ url, … }` for `webhook`. Stored encrypted. */
  readonly target: Target;
  /** Event types; `*` and `ticket.*` are understood. */
  readonly events: readonly string[];
  /** Signs the requests. Made when absent, for destinations that sign. Stored encrypted. */
  readonly secret?: string;
  /** An inactive endpoint's deliveries are held until it is active. True when absent. */
  readonly active?: boolean;
  readonly policy?: EndpointPolicy;
  /** An email address: told when the dispatcher disabled the endpoint, where it was given a mailer. */
  readonly contactAddress?: string;
  /** For people. 1,000 characters at most. */
  readonly description?: string;
  /** What its owner wants to keep with it: 50 texts at most, their names 40 characters long, each text 500. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Only events whose data are like this; judged before the first attempt. */
  readonly condition?: Condition;
  /**
   * Its deliveries are held until `endpoints.verify` has found that the URL answers a challenge. For `webhook` only.
   * What `verifyEndpoints` of the dispatcher says when absent; an explicit false exempts this one.
   */
  readonly verify?: boolean;
}

/** What an endpoint says otherwise than the dispatcher's options. */
export interface EndpointPolicy {
  /** Attempts in all, at most as many as the schedule has. */
  readonly maxAttempts?: number;
  /** Instead of the dispatcher's. */
  readonly retrySchedule?: RetrySchedule;
  /** For connect, headers and body together; at most 30,000, and two thirds of `leaseMs`. */
  readonly timeoutMs?: number;
  /** Attempts at a time in one worker process, at most `maxInFlightPerEndpoint`. */
  readonly maxInFlight?: number;
  /** Deliveries beyond it wait, and lose no attempt by it. */
  readonly rateLimit?: RateLimit;
  /** False: a 4xx other than 408, 425 and 429 ends the delivery as dead. True when absent. */
  readonly retryClientErrors?: boolean;
  /** False: every delivery is attempted when it is due, however many fail. True when absent. */
  readonly circuitBreaker?: boolean;
  /** Of failure without a success, after which the endpoint is disabled; null for never. The dispatcher's when absent. */
  readonly disableAfterMs?: number | null;
  /** True: an endpoint that says it is gone, as by 410, is deleted instead of disabled, with what waits for it. */
  readonly deleteWhenGone?: boolean;
  /**
   * Deliveries of events with the same `orderingKey` go out one after another, in the order in which they were
   * committed. `block`: while one is tried again the rest wait, until it is delivered or dead. `skip`: meanwhile the
   * next ones pass. Counts for what is published from then on. Absent: no order.
   */
  readonly ordering?: "block" | "skip";
}

/**
 * How an endpoint does, as far as its attempts tell. `closed` is the normal state of its circuit breaker; while it is
 * `open` deliveries wait, but for one probe at a time.
 */
export interface EndpointHealth {
  readonly circuit: "closed" | "open";
  /** Failed attempts since the last success. */
  readonly failures: number;
  readonly failingSince: Date | null;
  /** No delivery is attempted before, or not even a probe; null when nothing holds them back by time. */
  readonly blockedUntil: Date | null;
}

/**
 * What `endpoints.update` takes; absent fields stay as they are, null clears. An endpoint that is verified has to be
 * verified anew when its URL changes.
 */
export interface EndpointChanges<Target = unknown>
  extends Partial<Pick<EndpointInput<Target>, "target" | "events" | "active" | "policy">> {
  readonly name?: string | null;
  /** Fields of a webhook's target, instead of all of `target`; null takes one away. */
  readonly targetChanges?: Readonly<Record<string, unknown>>;
  /** Fields of the policy, instead of all of `policy`. */
  readonly policyChanges?: EndpointPolicy;
  readonly description?: string | null;
  /** Replaces all of it. */
  readonly metadata?: Readonly<Record<string, string>> | null;
  readonly condition?: Condition | null;
  readonly contactAddress?: string | null;
}

/** A subscriber. */
export interface Endpoint<Target = unknown> {
  readonly id: string;
  readonly tenantId: string;
  /** Of an endpoint that `subscribe` made. */
  readonly key: string | null;
  readonly name: string | null;
  readonly destination: string;
  /** Null when none of the keys that this process has can decrypt it. */
  readonly target: Target | null;
  readonly events: readonly string[];
  readonly policy: EndpointPolicy;
  readonly active: boolean;
  readonly disabledAt: Date | null;
  /** Why, when the dispatcher disabled it. */
  readonly disabledReason: string | null;
  readonly contactAddress: string | null;
  readonly health: EndpointHealth;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly condition: Condition | null;
  /** `pending`: deliveries are held until `endpoints.verify` succeeds. `none`: nobody asked for it. */
  readonly verification: "none" | "pending" | "verified";
  /** When the newest secret was made; null for destinations that do not sign, and while it cannot be decrypted. */
  readonly secretMadeAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What `endpoints.rotateSecret` takes. */
export interface SecretRotation extends TenantScoped {
  /** Made when absent. */
  readonly secret?: string;
  /** How long the older secrets go on signing beside it; 0 revokes them at once. Default 86,400,000 (a day). */
  readonly overlapMs?: number;
}

/** The endpoint with its new secret. */
export interface RotatedEndpoint extends Endpoint {
  readonly secret: string;
  /** No older secret signs from then on. */
  readonly overlapEndsAt: Date;
}

/** Says which one, and whose. */
export interface TenantScoped {
  readonly tenantId: string;
  readonly id: string;
}
