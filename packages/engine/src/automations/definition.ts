import { type Action, type Condition, conditionIssues } from "@hookline/core";
import type { EngineError } from "../errors.js";
import { refusedBy } from "../field-faults.js";
import { isCleanText, isPlainObject } from "../storage/text.js";
import { destinationIssues, MESSAGE_SEND_ACTION } from "./built-in-actions.js";
import { templateIssues } from "./template.js";

/** What an automation does, as it is stored. */
export interface AutomationDefinition {
  /** Event types; `*` and `ticket.*` are understood. */
  readonly trigger: { readonly events: readonly string[] };
  /** Over `{ type, timestamp, data }` of the event, in MongoDB's words; absent: every event that triggers. */
  readonly condition?: Condition;
  /** Done one after the other, 1 to 20. */
  readonly steps: readonly AutomationStep[];
}

export interface AutomationStep {
  /** Unique in the automation: a-z, 0-9, `_`. Later steps read the output as `steps.<id>`. */
  readonly id: string;
  /** The name of an action. */
  readonly action: string;
  /** Any JSON; each text in it is a Liquid template over `event`, `steps`, and the fields of the event's data. */
  readonly input: unknown;
}

const MAX_STEPS = 20;
const MAX_EVENT_TYPES = 50;
const MAX_DEFINITION_CHARACTERS = 100_000;
const STEP_ID = /^[a-z][a-z0-9_]{0,63}$/;
const EVENT_PATTERN = /^(\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?)$/;

/** What steps may use. */
export interface StepRules {
  readonly actions: ReadonlyMap<string, Action>;
  readonly messageDestinations: readonly string[];
}

/** @throws EngineError `invalid_automation`, with every fault that was found */
export function checkDefinition(definition: AutomationDefinition, rules: StepRules): AutomationDefinition {
  const issues = [...shapeIssues(definition)];
  if (issues.length === 0) {
    const seen = new Set<string>();
    for (const [at, step] of definition.steps.entries()) {
      issues.push(...stepIssues(step, rules, `steps.${at}`));
      if (seen.has(step.id)) issues.push(`steps.${at}.id: another step has the id "${step.id}"`);
      seen.add(step.id);
    }
    if (JSON.stringify(definition).length > MAX_DEFINITION_CHARACTERS) {
      issues.push(`it has more than ${MAX_DEFINITION_CHARACTERS} characters as JSON`);
    }
  }
  if (issues.length > 0) throw invalid(issues);
  const { trigger, condition, steps } = definition;
  return {
    trigger: { events: [...trigger.events] },
    ...(condition === undefined ? {} : { condition }),
    steps: steps.map(({ id, action, input }) => ({ id, action, input })),
  };
}

function* shapeIssues({ trigger, condition, steps }: AutomationDefinition): Generator<string> {
  const events: unknown = trigger?.events;
  if (!Array.isArray(events) || events.length < 1 || events.length > MAX_EVENT_TYPES) {
    yield `trigger.events: 1 to ${MAX_EVENT_TYPES} event types`;
  } else {
    for (const [at, type] of events.entries()) {
      if (typeof type !== "string" || !EVENT_PATTERN.test(type) || type.length > 128) {
        yield `trigger.events.${at}: an event type, ticket.* or *`;
      }
    }
  }
  if (condition !== undefined) {
    for (const { path, message } of conditionIssues(condition)) yield `condition: ${path} ${message}`;
  }
  if (!Array.isArray(steps) || steps.length < 1 || steps.length > MAX_STEPS || !steps.every(isPlainObject)) {
    yield `steps: 1 to ${MAX_STEPS} steps`;
  }
}

function* stepIssues(
  step: AutomationStep,
  { actions, messageDestinations }: StepRules,
  path: string,
): Generator<string> {
  if (typeof step.id !== "string" || !STEP_ID.test(step.id)) yield `${path}.id: a-z, 0-9 and _, 64 characters at most`;
  if (!actions.has(step.action)) {
    yield `${path}.action: there is no action "${step.action}"; known are ${[...actions.keys()].join(", ")}`;
  }
  if (step.action === MESSAGE_SEND_ACTION) {
    for (const issue of destinationIssues(step.input, messageDestinations)) yield `${path}.input.${issue}`;
  }
  yield* templateIssues(step.input, `${path}.input`);
}

/** @throws EngineError `invalid_automation` */
export function checkName(name: string): void {
  if (typeof name !== "string" || !isCleanText(name, 200)) throw invalid(["name: 1 to 200 characters"]);
}

function invalid(issues: readonly string[]): EngineError {
  return refusedBy("invalid_automation", "The automation", issues);
}
