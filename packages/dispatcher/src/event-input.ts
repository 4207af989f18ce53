import { type EventInput, newId } from "@hookline/core";
import { DispatcherError, type FieldIssue } from "./errors.js";
import type { EventCatalogue } from "./event-catalogue.js";
import { isEventType, patternsFor } from "./event-types.js";
import { isOperationalType } from "./operational-events.js";
import { createIsoTime, FIRST_STORED_MS, LAST_STORED_MS } from "./sql/columns.js";
import type { EventRow } from "./sql/publish-events.js";
import { type FieldsOf, unknownFields } from "./unknown-fields.js";

const FIELDS: FieldsOf<EventInput> = {
  tenantId: true,
  type: true,
  data: true,
  id: true,
  timestamp: true,
  subjectId: true,
  idempotencyKey: true,
  orderingKey: true,
};

const MAX_KEY_CHARACTERS = 255;
const FINE: readonly FieldIssue[] = [];

const occurrence = createIsoTime();

/** Checks an event that a caller gave and writes it as a row, of no trace yet. */
export async function toEventRow(
  input: EventInput,
  options: { readonly catalogue: EventCatalogue; readonly maxBytes: number; readonly nowMs: number },
): Promise<EventRow> {
  if (typeof input !== "object" || input === null) {
    throw new DispatcherError("invalid_event", "The event is an object.", {
      issues: [{ path: "", message: "is an object" }],
    });
  }
  const issues: FieldIssue[] = [
    ...unknownFields(input, FIELDS),
    ...keyIssues("tenantId", input.tenantId),
    ...(input.subjectId === undefined ? FINE : keyIssues("subjectId", input.subjectId)),
    ...(input.idempotencyKey === undefined ? FINE : keyIssues("idempotencyKey", input.idempotencyKey)),
    ...(input.orderingKey === undefined ? FINE : keyIssues("orderingKey", input.orderingKey)),
    ...(input.timestamp === undefined ? FINE : timeIssues("timestamp", input.timestamp)),
  ];
  if (typeof input.type !== "string" || !isEventType(input.type)) {
    issues.push({ path: "type", message: "is dotted words of letters, digits, _ and -" });
  } else if (isOperationalType(input.type)) {
    issues.push({ path: "type", message: "is one that only the dispatcher publishes" });
  }
  if (input.id !== undefined && !/^[A-Za-z0-9_-]{1,100}$/.test(input.id)) {
    issues.push({ path: "id", message: "is letters, digits, _ and -, 100 at most" });
  }
  const [first] = issues;
  if (first !== undefined) {
    throw new DispatcherError("invalid_event", `The event's ${first.path} ${first.message}.`, { issues });
  }
  const checked = options.catalogue.check(input.type, input.data);
  const body = toJson(checked instanceof Promise ? await checked : checked, "invalid_event");
  checkSize(body, options.maxBytes);
  return {
    id: input.id ?? newId("evt", options.nowMs),
    tenantId: input.tenantId,
    type: input.type,
    subjectId: input.subjectId ?? null,
    occurredAt: occurrence(input.timestamp?.getTime() ?? options.nowMs),
    idempotencyKey: input.idempotencyKey ?? null,
    orderingKey: input.orderingKey ?? null,
    body,
    patterns: patternsFor(input.type).join(" "),
    traceContext: null,
  };
}

/** What is wrong with a text that identifies something. */
export function keyIssues(path: string, value: unknown): readonly FieldIssue[] {
  const isFit =
    typeof value === "string" && value !== "" && value.length <= MAX_KEY_CHARACTERS && !/\p{Cc}/u.test(value);
  return isFit ? FINE : [{ path, message: "is a text of 1 to 255 characters without control characters" }];
}

/** What is wrong with a time that is stored. */
export function timeIssues(path: string, time: unknown): readonly FieldIssue[] {
  const ms = time instanceof Date ? time.getTime() : Number.NaN;
  return ms >= FIRST_STORED_MS && ms <= LAST_STORED_MS ? FINE : [{ path, message: "is a Date of the years 1 to 9999" }];
}

const MAX_SUBJECTS = 10;
/** An identity's value has up to 512, and its kind stands in front. */
const MAX_SUBJECT_CHARACTERS = 640;

/** What is wrong with the subjects of a direct send. */
export function subjectIssues(subjectIds: unknown): readonly FieldIssue[] {
  if (!Array.isArray(subjectIds) || subjectIds.length > MAX_SUBJECTS) {
    return [{ path: "subjectIds", message: `is a list of ${MAX_SUBJECTS} texts at most` }];
  }
  return subjectIds.flatMap((id: unknown, index) =>
    typeof id === "string" && id !== "" && id.length <= MAX_SUBJECT_CHARACTERS && !/\p{Cc}/u.test(id)
      ? []
      : [{ path: `subjectIds.${index}`, message: `is a text of 1 to ${MAX_SUBJECT_CHARACTERS} characters` }],
  );
}

export function toJson(value: unknown, code: "invalid_event" | "invalid_message"): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new DispatcherError(code, "The data cannot be written as JSON.", {
      cause,
      issues: [{ path: "data", message: "cannot be written as JSON" }],
    });
  }
  if (text === undefined) {
    throw new DispatcherError(code, "The data are missing.", { issues: [{ path: "data", message: "is missing" }] });
  }
  return text;
}

export function checkSize(body: string, maxBytes: number): void {
  // A character takes three bytes at most, so most bodies need not be measured.
  if (body.length * 3 <= maxBytes) return;
  const bytes = Buffer.byteLength(body);
  if (bytes > maxBytes) {
    throw new DispatcherError("event_too_large", `The data have ${bytes} bytes as JSON; ${maxBytes} are allowed.`, {
      issues: [{ path: "data", message: `has ${bytes} bytes, ${maxBytes} are allowed` }],
    });
  }
}
