import type { DirectSend } from "@hookline/core";
import { DispatcherError, type FieldIssue } from "./errors.js";
import { keyIssues, subjectIssues, timeIssues } from "./event-input.js";
import { type FieldsOf, unknownFields } from "./unknown-fields.js";

const FIELDS: FieldsOf<DirectSend> = {
  tenantId: true,
  destination: true,
  target: true,
  data: true,
  deadline: true,
  idempotencyKey: true,
  subjectIds: true,
};

/** Refuses a direct send for anything but its destination, target and data. */
export function checkMessageFields(message: DirectSend): void {
  if (typeof message !== "object" || message === null) {
    throw new DispatcherError("invalid_message", "The message is an object.", {
      issues: [{ path: "", message: "is an object" }],
    });
  }
  const issues: readonly FieldIssue[] = [
    ...unknownFields(message, FIELDS),
    ...keyIssues("tenantId", message.tenantId),
    ...(message.idempotencyKey === undefined ? [] : keyIssues("idempotencyKey", message.idempotencyKey)),
    ...subjectIssues(message.subjectIds ?? []),
    ...(message.deadline === undefined ? [] : timeIssues("deadline", message.deadline)),
  ];
  const [first] = issues;
  if (first !== undefined) {
    throw new DispatcherError("invalid_message", `The message's ${first.path} ${first.message}.`, { issues });
  }
}
