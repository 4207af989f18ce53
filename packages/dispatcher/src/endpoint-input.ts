import type { EndpointPolicy } from "./endpoint.js";
import { DispatcherError, type FieldIssue } from "./errors.js";
import { isEventPattern } from "./event-types.js";
import { scheduleIssues } from "./retry-schedule.js";

export function patternIssues(events: readonly string[]): readonly FieldIssue[] {
  if (!Array.isArray(events) || events.length === 0) return [{ path: "events", message: "names at least one type" }];
  return events.flatMap((pattern: unknown, index) =>
    typeof pattern === "string" && isEventPattern(pattern)
      ? []
      : [{ path: `events.${index}`, message: "is an event type, or one that ends in .*, or *" }],
  );
}

export function policyIssues(policy: EndpointPolicy): readonly FieldIssue[] {
  const issues: FieldIssue[] = [];
  const { maxAttempts, retrySchedule, timeoutMs } = policy;
  if (retrySchedule !== undefined) {
    for (const { path, message } of scheduleIssues(retrySchedule)) {
      issues.push({ path: `policy.retrySchedule.${path}`, message });
    }
  }
  if (maxAttempts !== undefined && !(Number.isInteger(maxAttempts) && maxAttempts >= 1)) {
    issues.push({ path: "policy.maxAttempts", message: "is a whole number from 1" });
  }
  if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
    issues.push({ path: "policy.timeoutMs", message: "is a number above 0" });
  }
  return issues;
}

export function refuse(issues: readonly FieldIssue[]): void {
  const [first] = issues;
  if (first === undefined) return;
  throw new DispatcherError("invalid_endpoint", `The endpoint's ${first.path} ${first.message}.`, { issues });
}
