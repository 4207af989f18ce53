import type { TenantScoped } from "./endpoint.js";
import { DispatcherError, type FieldIssue } from "./errors.js";
import { keyIssues } from "./event-input.js";
import { type FieldsOf, unknownFields } from "./unknown-fields.js";

/**
 * Refuses what is no object, names that are not known, and what does not say whose it asks for: each of them would find
 * more than was meant, or nothing.
 *
 * @throws DispatcherError `invalid_query`
 */
export function checkQuery<Query extends { readonly tenantId: string }>(asked: Query, known: FieldsOf<Query>): void {
  checkObject(asked);
  refuseFirst([...unknownFields(asked, known), ...keyIssues("tenantId", asked.tenantId)]);
}

/**
 * Refuses what does not say which one, and whose. It may say more: an endpoint itself will do.
 *
 * @throws DispatcherError `invalid_query`
 */
export function checkScoped(asked: TenantScoped): void {
  checkObject(asked);
  const { tenantId, id } = asked;
  refuseFirst(
    Object.entries({ tenantId, id })
      .filter(([, value]) => typeof value !== "string")
      .map(([path]) => ({ path, message: "is a text" })),
  );
}

export function invalidQuery(path: string, message: string): DispatcherError {
  return new DispatcherError("invalid_query", `${path} ${message}.`, { issues: [{ path, message }] });
}

function checkObject(asked: unknown): void {
  if (typeof asked === "object" && asked !== null) return;
  const message = "is an object with a tenantId";
  throw new DispatcherError("invalid_query", `What is asked for ${message}.`, { issues: [{ path: "", message }] });
}

export function refuseFirst(issues: readonly FieldIssue[]): void {
  const [first] = issues;
  if (first === undefined) return;
  throw new DispatcherError("invalid_query", `${first.path} ${first.message}.`, { issues });
}
