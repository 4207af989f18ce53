import { defineEvent, type EventDefinition, newId, type SchemaIssue, type StandardSchema } from "@hookline/core";
import { isoTime } from "./sql/columns.js";
import type { EventRow } from "./sql/publish-events.js";

/** The dispatcher disabled an endpoint; its deliveries are held. */
export interface EndpointDisabled {
  readonly endpointId: string;
  readonly endpointName: string | null;
  /** `gone`: it said so, as by 410. `failing`: it failed for `disableAfterMs`. */
  readonly cause: "gone" | "failing";
  readonly reason: string;
  /** ISO 8601. */
  readonly disabledAt: string;
  /** ISO 8601; null when its last attempt before was a success. */
  readonly failingSince: string | null;
  /** What the last attempt was answered; null without an answer. */
  readonly lastStatus: number | null;
}

/** An endpoint whose circuit breaker was open answered well: what waited for it is being delivered. */
export interface EndpointRecovering {
  readonly endpointId: string;
  readonly endpointName: string | null;
  /** ISO 8601. */
  readonly failingSince: string;
  readonly recoveringAt: string;
}

/** The last attempt of a delivery's schedule failed: it is dead until it is retried. */
export interface DeliveryExhausted {
  readonly deliveryId: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly attempts: number;
  /** Of the last attempt; null without an answer. */
  readonly status: number | null;
  readonly errorCode: string | null;
  readonly reason: string | null;
}

/** `backlogThreshold` deliveries wait for an endpoint. Told anew only after less than half as many waited. */
export interface BacklogGrowing {
  readonly endpointId: string;
  readonly endpointName: string | null;
  /** At least so many: waiting in line, for their retry or for the endpoint, or held. */
  readonly waiting: number;
}

/** An operational event of one tenant, with where it belongs. */
export type OperationalEvent = {
  readonly tenantId: string;
  /** The same for the same happening. */
  readonly key: string;
} & (
  | { readonly type: "endpoint.disabled"; readonly data: EndpointDisabled }
  | { readonly type: "endpoint.recovering"; readonly data: EndpointRecovering }
  | { readonly type: "delivery.exhausted"; readonly data: DeliveryExhausted }
  | { readonly type: "backlog.growing"; readonly data: BacklogGrowing }
);

/**
 * What the dispatcher publishes about itself, to the tenant whose endpoint it is about. Only endpoints that name the
 * type, or `endpoint.*`, `delivery.*`, `backlog.*`, get these; `*` does not.
 */
export const OPERATIONAL_EVENTS: readonly EventDefinition[] = [
  defineEvent({
    type: "endpoint.disabled",
    description: "The dispatcher disabled an endpoint; its deliveries are held.",
    schema: shape<EndpointDisabled>({
      endpointId: "string",
      endpointName: "string?",
      cause: "string",
      reason: "string",
      disabledAt: "string",
      failingSince: "string?",
      lastStatus: "number?",
    }),
    example: {
      endpointId: "ep_0m1x2k9a3f0c8b7d6e5f4a3b2c1",
      endpointName: "Billing",
      cause: "failing",
      reason: "Every attempt failed for 5 days.",
      disabledAt: "2030-01-06T00:00:00.000Z",
      failingSince: "2030-01-01T00:00:00.000Z",
      lastStatus: 503,
    },
  }),
  defineEvent({
    type: "endpoint.recovering",
    description: "An endpoint answers again: what waited for it is being delivered.",
    schema: shape<EndpointRecovering>({
      endpointId: "string",
      endpointName: "string?",
      failingSince: "string",
      recoveringAt: "string",
    }),
    example: {
      endpointId: "ep_0m1x2k9a3f0c8b7d6e5f4a3b2c1",
      endpointName: "Billing",
      failingSince: "2030-01-01T00:00:00.000Z",
      recoveringAt: "2030-01-01T01:00:00.000Z",
    },
  }),
  defineEvent({
    type: "delivery.exhausted",
    description: "The last attempt of a delivery's schedule failed.",
    schema: shape<DeliveryExhausted>({
      deliveryId: "string",
      endpointId: "string",
      eventId: "string",
      eventType: "string",
      attempts: "number",
      status: "number?",
      errorCode: "string?",
      reason: "string?",
    }),
    example: {
      deliveryId: "dlv_0m1x2k9a3f0c8b7d6e5f4a3b2c1",
      endpointId: "ep_0m1x2k9a3f0c8b7d6e5f4a3b2c1",
      eventId: "evt_0m1x2k9a3f0c8b7d6e5f4a3b2c1",
      eventType: "ticket.created",
      attempts: 10,
      status: 503,
      errorCode: "http_status",
      reason: "The endpoint answered 503.",
    },
  }),
  defineEvent({
    type: "backlog.growing",
    description: "As many deliveries wait for an endpoint as its dispatcher finds worth telling.",
    schema: shape<BacklogGrowing>({ endpointId: "string", endpointName: "string?", waiting: "number" }),
    example: { endpointId: "ep_0m1x2k9a3f0c8b7d6e5f4a3b2c1", endpointName: "Billing", waiting: 10_000 },
  }),
];

const TYPES: ReadonlySet<string> = new Set(OPERATIONAL_EVENTS.map(({ type }) => type));

/** Types that only the dispatcher publishes. */
export function isOperationalType(type: string): boolean {
  return TYPES.has(type);
}

/** The idempotency key of an operational event. */
export function operationalKey(type: OperationalEvent["type"], key: string): string {
  return `hookline:${type}:${key}`;
}

/** As it is stored. Its pattern list lacks `*`: an endpoint for everything did not ask for these. */
export function operationalEventRow({ tenantId, key, type, data }: OperationalEvent, nowMs: number): EventRow {
  return {
    id: newId("evt", nowMs),
    tenantId,
    type,
    subjectId: null,
    occurredAt: isoTime(nowMs),
    idempotencyKey: operationalKey(type, key),
    orderingKey: null,
    body: JSON.stringify(data),
    traceContext: null,
    patterns: `${type} ${type.slice(0, type.indexOf("."))}.*`,
  };
}

type FieldType = "string" | "string?" | "number" | "number?";

/** A Standard Schema by hand, so that the dispatcher needs no validator at run time. */
function shape<Data>(fields: { readonly [Key in keyof Data]-?: FieldType }): StandardSchema<Data> {
  const validate = (value: unknown): { value: Data } | { issues: readonly SchemaIssue[] } => {
    if (typeof value !== "object" || value === null) return { issues: [{ message: "is an object" }] };
    const issues: SchemaIssue[] = [];
    for (const [name, type] of Object.entries<FieldType>(fields)) {
      const field = (value as Record<string, unknown>)[name];
      const isFit = `${typeof field}` === type.replace("?", "") || (field === null && type.endsWith("?"));
      if (!isFit) issues.push({ path: [name], message: `is a ${type.replace("?", " or null")}` });
    }
    return issues.length > 0 ? { issues } : { value: value as Data };
  };
  return { "~standard": { version: 1, vendor: "hookline", validate } };
}
