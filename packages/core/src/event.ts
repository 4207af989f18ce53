import type { StandardSchema } from "./schema.js";

/**
 * Something that happened, as it stands in the event log.
 *
 * The same event keeps its id over every delivery, attempt and replay.
 */
export interface Event<Data = unknown> {
  /** Made by the publisher or by `publish`; sorts by time. */
  readonly id: string;
  /** Dotted, such as `ticket.created`. */
  readonly type: string;
  /** When it happened: ISO 8601 in UTC, with milliseconds. */
  readonly timestamp: string;
  /** The customer account that it belongs to. */
  readonly tenantId: string;
  readonly data: Data;
  /** The contact that it is about. A contact's timeline is the events of that subject. */
  readonly subjectId?: string;
}

/** An event that is to be published. */
export interface EventInput<Data = unknown> {
  readonly tenantId: string;
  readonly type: string;
  readonly data: Data;
  /** Made when absent. */
  readonly id?: string;
  /** When it happened; now when absent. */
  readonly timestamp?: Date;
  readonly subjectId?: string;
  /** Per tenant: a second event with the same key is not stored, the first one's id is answered. */
  readonly idempotencyKey?: string;
  /** Events with the same key reach an endpoint that asks for strict order one after another. */
  readonly orderingKey?: string;
}

/** What {@link defineEvent} takes and answers: one entry of an event catalogue. */
export interface EventDefinition<Type extends string = string, Data = unknown, Input = unknown> {
  readonly type: Type;
  readonly schema: StandardSchema<Data, Input>;
  readonly description: string;
  /** A payload as subscribers get it, after the schema; test deliveries and documentation show it as it is. */
  readonly example: Data;
}

/**
 * Types one entry of an event catalogue; adds nothing at run time.
 *
 * @example
 * const ticketCreated = defineEvent({
 *   type: "ticket.created",
 *   schema: z.object({ number: z.string(), title: z.string() }),
 *   description: "A ticket was opened.",
 *   example: { number: "TKT-2026-001", title: "Cannot sign in" },
 * });
 */
export function defineEvent<const Type extends string, Data, Input>(
  definition: EventDefinition<Type, Data, Input>,
): EventDefinition<Type, Data, Input> {
  return definition;
}
