import { conditionIssues } from "@hookline/core";
import type { EndpointChanges, EndpointInput, EndpointPolicy } from "./endpoint.js";
import { DispatcherError, type FieldIssue } from "./errors.js";
import { isEventPattern } from "./event-types.js";
import { limitIssues } from "./limits.js";
import { scheduleIssues } from "./retry-schedule.js";
import { type FieldsOf, unknownFields } from "./unknown-fields.js";

const INPUT_FIELDS: FieldsOf<EndpointInput> = {
  tenantId: true,
  name: true,
  destination: true,
  target: true,
  events: true,
  secret: true,
  active: true,
  policy: true,
  contactAddress: true,
  description: true,
  metadata: true,
  condition: true,
  verify: true,
};

const CHANGES_FIELDS: FieldsOf<EndpointChanges> = {
  name: true,
  target: true,
  targetChanges: true,
  events: true,
  active: true,
  policy: true,
  policyChanges: true,
  contactAddress: true,
  description: true,
  metadata: true,
  condition: true,
};

/** Refuses what is no object, names that are not known, and switches that are neither on nor off. */
export function checkShape(kind: "input" | "changes", given: EndpointInput | EndpointChanges): void {
  if (!isFields(given)) {
    const what = kind === "input" ? "is an object" : "is followed by an object of changes";
    throw new DispatcherError("invalid_endpoint", `The endpoint ${what}.`, { issues: [{ path: "", message: what }] });
  }
  const known = kind === "input" ? INPUT_FIELDS : CHANGES_FIELDS;
  const { active, verify } = given as EndpointInput;
  refuse([
    ...unknownFields(given, known),
    ...Object.entries({ active, verify })
      .filter(([, value]) => value !== undefined && typeof value !== "boolean")
      .map(([path]) => ({ path, message: "is true or false" })),
  ]);
}

export function patternIssues(events: readonly string[]): readonly FieldIssue[] {
  if (!Array.isArray(events) || events.length === 0) return [{ path: "events", message: "names at least one type" }];
  return events.flatMap((pattern: unknown, index) =>
    typeof pattern === "string" && isEventPattern(pattern)
      ? []
      : [{ path: `events.${index}`, message: "is an event type, or one that ends in .*, or *" }],
  );
}

const POLICY_FIELDS: FieldsOf<EndpointPolicy> = {
  maxAttempts: true,
  retrySchedule: true,
  timeoutMs: true,
  maxInFlight: true,
  rateLimit: true,
  retryClientErrors: true,
  circuitBreaker: true,
  disableAfterMs: true,
  deleteWhenGone: true,
  ordering: true,
};

/** What is wrong with a policy, or with the fields of one, at paths below `root`. */
export function policyIssues(policy: EndpointPolicy, root = "policy"): readonly FieldIssue[] {
  if (typeof policy !== "object" || policy === null || Array.isArray(policy)) {
    return [{ path: root, message: "is an object" }];
  }
  const issues: FieldIssue[] = [...unknownFields(policy, POLICY_FIELDS, root)];
  const { maxAttempts, retrySchedule, timeoutMs, disableAfterMs, ordering } = policy;
  if (retrySchedule !== undefined) {
    for (const { path, message } of scheduleIssues(retrySchedule)) {
      issues.push({ path: `${root}.retrySchedule.${path}`, message });
    }
  }
  if (maxAttempts !== undefined && !(Number.isInteger(maxAttempts) && maxAttempts >= 1)) {
    issues.push({ path: `${root}.maxAttempts`, message: "is a whole number from 1" });
  }
  if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
    issues.push({ path: `${root}.timeoutMs`, message: "is a number above 0" });
  }
  for (const name of ["retryClientErrors", "circuitBreaker", "deleteWhenGone"] as const) {
    if (policy[name] !== undefined && typeof policy[name] !== "boolean") {
      issues.push({ path: `${root}.${name}`, message: "is true or false" });
    }
  }
  if (disableAfterMs !== undefined && disableAfterMs !== null && !isDisableAfterMs(disableAfterMs)) {
    issues.push({ path: `${root}.disableAfterMs`, message: DISABLE_AFTER_MESSAGE });
  }
  if (ordering !== undefined && ordering !== "block" && ordering !== "skip") {
    issues.push({ path: `${root}.ordering`, message: 'is "block" or "skip"' });
  }
  for (const { path, message } of limitIssues(policy)) issues.push({ path: `${root}.${path}`, message });
  return issues;
}

/** Whole or in part, not both. */
export function changesIssues(changes: EndpointChanges): readonly FieldIssue[] {
  const { target, targetChanges, policy, policyChanges } = changes;
  return [
    ...(targetChanges === undefined || isFields(targetChanges)
      ? []
      : [{ path: "targetChanges", message: "is an object" }]),
    ...(target === undefined || targetChanges === undefined
      ? []
      : [{ path: "targetChanges", message: "cannot be given beside target" }]),
    ...(policy === undefined || policyChanges === undefined
      ? []
      : [{ path: "policyChanges", message: "cannot be given beside policy" }]),
  ];
}

const isFields = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

/** A minute to a year: less would disable for what a restart causes. */
export function isDisableAfterMs(value: number): boolean {
  return Number.isFinite(value) && value >= 60_000 && value <= 365 * 86_400_000;
}

export const DISABLE_AFTER_MESSAGE = "is null, or a number from 60000 (a minute) to 31536000000 (a year)";

/** Whether it could be an address: one line, so that nothing else can get into a mail's head. */
export function contactIssues(address: unknown): readonly FieldIssue[] {
  const isFit = typeof address === "string" && address.length <= 254 && /^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/.test(address);
  return isFit ? [] : [{ path: "contactAddress", message: "is an email address" }];
}

/** What its owner says about it, and which data it wants. */
type About = Pick<EndpointChanges, "description" | "metadata" | "condition">;

const MAX_DESCRIPTION_CHARACTERS = 1_000;
/** As Stripe has it. */
const METADATA = { maxEntries: 50, maxNameCharacters: 40, maxCharacters: 500 } as const;

export function aboutIssues({ description, metadata, condition }: About): readonly FieldIssue[] {
  const isText = typeof description === "string" && description.length <= MAX_DESCRIPTION_CHARACTERS;
  return [
    ...(description === undefined || description === null || (isText && isStorable(description))
      ? []
      : [{ path: "description", message: `is a text of ${MAX_DESCRIPTION_CHARACTERS} characters at most` }]),
    ...(metadata === undefined || metadata === null ? [] : metadataIssues(metadata)),
    ...(condition === undefined || condition === null ? [] : conditionIssues(condition)),
  ];
}

/** As `updateEndpoint` takes it. */
export function aboutRow({ description, metadata, condition }: About) {
  return {
    description: description === undefined ? null : (description ?? ""),
    metadata: jsonColumn(metadata),
    condition: jsonColumn(condition),
  };
}

/** Null leaves a column, an empty text clears it. */
function jsonColumn(value: object | null | undefined): string | null {
  if (value === undefined) return null;
  return value === null ? "" : JSON.stringify(value);
}

function metadataIssues(metadata: unknown): readonly FieldIssue[] {
  const { maxEntries, maxNameCharacters, maxCharacters } = METADATA;
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    return [{ path: "metadata", message: "is an object of texts" }];
  }
  const entries: readonly (readonly [string, unknown])[] = Object.entries(metadata);
  if (entries.length > maxEntries) return [{ path: "metadata", message: `has ${maxEntries} entries at most` }];
  return entries.flatMap(([name, value]) => {
    const path = `metadata.${name}`;
    if (name === "" || name.length > maxNameCharacters) {
      return [{ path, message: `has a name of 1 to ${maxNameCharacters} characters` }];
    }
    const isText = typeof value === "string" && value.length <= maxCharacters;
    return isText ? [] : [{ path, message: `is a text of ${maxCharacters} characters at most` }];
  });
}

/** What a text column of Postgres can hold. */
function isStorable(text: string): boolean {
  return !text.includes("\u0000");
}

export function refuse(issues: readonly FieldIssue[]): void {
  const [first] = issues;
  if (first === undefined) return;
  throw new DispatcherError("invalid_endpoint", `The endpoint's ${first.path} ${first.message}.`, { issues });
}
