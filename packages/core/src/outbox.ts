import type { Event, EventInput } from "./event.js";
import type { Transaction } from "./transaction.js";

/** The port through which engine and connectors hand over what must happen later. The dispatcher implements it. */
export interface Outbox {
  /**
   * Stores an event and fans it out to the tenant's matching endpoints. With `transaction`, event and deliveries
   * exist once the caller commits, and never otherwise.
   *
   * An event that is refused for what it is throws an error whose `code` is one of {@link OUTBOX_REFUSALS}; another try
   * would change nothing. Every other throw is a failure that may pass.
   */
  publish(event: EventInput, options?: OutboxOptions): Promise<Published>;
  /** {@link Outbox.publish} for several events in one statement; answers in the order given. */
  publishMany(events: readonly EventInput[], options?: OutboxOptions): Promise<readonly Published[]>;
  /**
   * {@link Outbox.publishMany} where an event that is refused harms none of its neighbours: what became of each, in the
   * order given. A failure that may pass is thrown all the same.
   */
  publishEach(events: readonly EventInput[], options?: OutboxOptions): Promise<readonly PublishOutcome[]>;
  /** Makes one delivery to a destination, without an endpoint. */
  send(
    message: DirectSend,
    options?: OutboxOptions,
  ): Promise<{ readonly deliveryId: string; readonly duplicate: boolean }>;
  /**
   * Makes or changes an endpoint of our own; the same key always means the same endpoint. With `transaction` it is made
   * or changed once the caller commits, and never otherwise.
   */
  subscribe(subscription: Subscription, options?: OutboxOptions): Promise<{ readonly endpointId: string }>;
  /** Removes such an endpoint; what waits for it ends undelivered. False when there is none of this key. */
  unsubscribe(subscription: Pick<Subscription, "tenantId" | "key">, options?: OutboxOptions): Promise<boolean>;
}

/** The codes of errors by which an outbox refuses an event for what it is. */
export const OUTBOX_REFUSALS = ["invalid_event", "event_too_large", "idempotency_conflict"] as const;

/** Why an outbox does not take an event. */
export type OutboxRefusal = (typeof OUTBOX_REFUSALS)[number];

/** What became of one event of {@link Outbox.publishEach}. */
export type PublishOutcome =
  | ({ readonly status: "published" } & Published)
  | { readonly status: "refused"; readonly code: OutboxRefusal; readonly message: string };

export interface OutboxOptions {
  readonly transaction?: Transaction;
}

export interface Published {
  readonly id: string;
  /** True when the idempotency key was known: `id` is the first event's, and nothing was stored. */
  readonly duplicate: boolean;
}

/** One delivery to a destination that no endpoint stands for: the follow-up of an interaction, a direct message. */
export interface DirectSend {
  readonly tenantId: string;
  /** The id of a registered destination. */
  readonly destination: string;
  /** Where to, in the destination's own shape. Stored encrypted: it may hold a token. */
  readonly target: unknown;
  /** What to send, in the destination's own shape. Stored as JSON text; no secrets here. */
  readonly data: unknown;
  /** No attempt starts after it; the destination's `expire` is called instead. */
  readonly deadline?: Date;
  /** Per tenant: a second send with the same key makes no delivery. */
  readonly idempotencyKey?: string;
  /**
   * Whom it is about, so that an export shows it and an erasure finds it: ids of contacts, and `identitySubject` of
   * those of whom only an identity is known. 10 at most.
   */
  readonly subjectIds?: readonly string[];
}

/** An endpoint of our own: an automation, a channel that the app's configuration names. */
export interface Subscription {
  readonly key: string;
  readonly tenantId: string;
  readonly destination: string;
  /** Event types; `*` and `ticket.*` are understood. */
  readonly events: readonly string[];
  readonly target?: unknown;
}

/** The one event log, as others read it. The dispatcher implements it. */
export interface EventLog {
  /** Newest first. `cursor` is what the previous page answered; the error for an unreadable one has the code `invalid_cursor`. */
  list(query: EventQuery): Promise<{ readonly events: readonly Event[]; readonly nextCursor: string | null }>;
  /**
   * Takes the payload out of an event, and what was answered to it out of the log of its deliveries; what waits of them
   * ends. `inFlight` are those that are being sent right now: to be called again once they have ended. Throws an error
   * with the code `event_not_found`. Safe to call again.
   */
  expunge?(event: { readonly tenantId: string; readonly id: string }): Promise<{ readonly inFlight: number }>;
  /** What became of the deliveries of some events (200 at most), and what their receivers answered; oldest first. */
  listAttempts?(query: {
    readonly tenantId: string;
    readonly eventIds: readonly string[];
  }): Promise<readonly EventAttempt[]>;
  /** The direct sends about any of these subjects that still hold their data, newest first. */
  listSends?(
    query: SendQuery,
  ): Promise<{ readonly sends: readonly RecordedSend[]; readonly nextCursor: string | null }>;
  /**
   * {@link EventLog.expunge} for all direct sends about any of these subjects: takes out data, target, and what was
   * answered. One that is finished is from then on about nobody. Safe to call again.
   */
  expungeSends?(query: {
    readonly tenantId: string;
    readonly subjectIds: readonly string[];
  }): Promise<{ readonly inFlight: number }>;
}

export interface SendQuery {
  readonly tenantId: string;
  readonly subjectIds: readonly string[];
  /** 1 to 200; 50 when absent. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** A direct send as it is kept. Not its target, which may hold a token. */
export interface RecordedSend {
  readonly deliveryId: string;
  readonly destination: string;
  /** ISO 8601. */
  readonly storedAt: string;
  readonly data: unknown;
  /** Oldest first. */
  readonly attempts: readonly DeliveryAttempt[];
}

/** One try to deliver an event. */
export interface EventAttempt extends DeliveryAttempt {
  readonly eventId: string;
  readonly endpointId: string | null;
}

/** One try of a delivery. */
export interface DeliveryAttempt {
  readonly deliveryId: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly outcome: string;
  readonly status: number | null;
  readonly responseBody: string | null;
}

export interface EventQuery {
  readonly tenantId: string;
  /** Events of any of these subjects: a contact's own id and the ids of contacts that were merged into it. */
  readonly subjectIds?: readonly string[];
  readonly type?: string;
  /** With a timestamp of this time or later. */
  readonly since?: Date;
  /** With a timestamp before this time. */
  readonly until?: Date;
  /** 1 to 200; 50 when absent. */
  readonly limit?: number;
  readonly cursor?: string;
}
