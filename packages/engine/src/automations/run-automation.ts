import type { Action, ActionContext, ActionResult, Event, Interpretation, Transaction } from "@hookline/core";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import type { Store } from "../storage/store.js";
import type { Automation, AutomationStore } from "./automation-store.js";
import type { Causation } from "./causation.js";
import { meets } from "./condition.js";
import type { AutomationStep } from "./definition.js";
import type { ExecutionLog } from "./execution-log.js";
import { renderTemplates } from "./template.js";

export interface RunParts {
  readonly store: Store;
  readonly automations: AutomationStore;
  readonly log: ExecutionLog;
  readonly causation: Causation;
  readonly actions: ReadonlyMap<string, Action>;
}

/** One try to run an automation for an event. */
export interface Run {
  readonly automation: Automation;
  readonly event: Event;
  /** The delivery's id: the same for each try. */
  readonly executionId: string;
  readonly signal: AbortSignal;
}

type StepOutcome = ActionResult & { readonly input: unknown };

/**
 * Runs the steps that are not done yet, each with a record. A crash between two steps goes on with the second; a step
 * whose action is transactional commits with its record.
 */
export async function runAutomation(parts: RunParts, run: Run): Promise<Interpretation> {
  const { store, log, automations, causation } = parts;
  const { automation, event, executionId } = run;
  const { query } = store.database;
  const { version } = await log.begin(query, {
    id: executionId,
    tenantId: automation.tenantId,
    automationId: automation.id,
    version: automation.version,
    eventId: event.id,
    eventType: event.type,
    startedAt: new Date(store.clock.now()),
  });
  const definition =
    version === automation.version ? automation : await automations.definitionOf(query, automation.id, version);
  if (definition === null) throw new Error(`Version ${version} of automation ${automation.id} is missing.`);
  const end = (status: "succeeded" | "skipped" | "failed", error: string | null) =>
    log.end(query, executionId, { status, error, at: new Date(store.clock.now()) });

  const depth = await causation.depthOf(query, event.id);
  if (depth >= DEFAULTS.automations.maxDepth) {
    const reason = `${depth} automations in a row have led to this event, each by an event or a request of the one before: this looks like a loop.`;
    await end("failed", reason);
    return { outcome: "dead", reason };
  }

  let isMet: boolean;
  try {
    isMet = meets(definition.condition, subjectOf(event));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await end("failed", reason);
    return { outcome: "dead", reason };
  }
  if (!isMet) {
    await end("skipped", null);
    return { outcome: "delivered", reason: "The condition was not met." };
  }
  const outputs = new Map(await log.outputs(query, executionId));
  for (const [position, step] of definition.steps.entries()) {
    if (outputs.has(step.id)) continue;
    const result = await doStep(parts, run, { step, position, outputs, depth });
    if (result.ok) {
      outputs.set(step.id, result.output ?? null);
      continue;
    }
    const reason = `Step "${step.id}": ${result.reason}`;
    if (!result.retry) {
      await end("failed", reason);
      return { outcome: "dead", reason };
    }
    await log.end(query, executionId, { status: "running", error: reason, at: null });
    return {
      outcome: "retry",
      reason,
      ...(result.retryAfterMs === undefined ? {} : { retryAfterMs: result.retryAfterMs }),
    };
  }
  await end("succeeded", null);
  return { outcome: "delivered" };
}

interface StepPlace {
  readonly step: AutomationStep;
  readonly position: number;
  readonly outputs: ReadonlyMap<string, unknown>;
  /** Of the event that it runs for. */
  readonly depth: number;
}

async function doStep(parts: RunParts, run: Run, place: StepPlace): Promise<ActionResult> {
  const { store, log, actions, causation } = parts;
  const { step, position, outputs, depth } = place;
  const startedMs = performance.now();
  const record = (query: Transaction["query"], outcome: StepOutcome) =>
    log.writeStep(query, {
      executionId: run.executionId,
      position,
      id: step.id,
      action: step.action,
      status: outcome.ok ? "succeeded" : "failed",
      input: outcome.input,
      output: outcome.ok ? (outcome.output ?? null) : null,
      error: outcome.ok ? null : outcome.reason,
      durationMs: Math.round(performance.now() - startedMs),
    });

  const prepared = await prepareStep(actions, step, { event: run.event, outputs });
  if (!prepared.ok) {
    await record(store.database.query, { ...prepared, input: prepared.input });
    return prepared;
  }
  const { action, input, checked } = prepared;
  const context: ActionContext = {
    tenantId: run.automation.tenantId,
    automationId: run.automation.id,
    executionId: run.executionId,
    event: run.event,
    idempotencyKey: `automation:${run.executionId}:${step.id}`,
  };
  try {
    if (action.kind === "external") {
      const result = await action.run(checked, { ...context, signal: run.signal });
      await record(store.database.query, { ...result, input });
      return result;
    }
    return await store.database.transaction(async (transaction) => {
      causation.mark(transaction, depth + 1);
      const result = await action.run(checked, { ...context, transaction });
      if (!result.ok) throw new RefusedStep(result);
      await record(transaction.query, { ...result, input });
      return result;
    });
  } catch (error) {
    const result: ActionResult =
      error instanceof RefusedStep
        ? error.result
        : { ok: false, retry: true, reason: error instanceof Error ? error.message : String(error) };
    if (!(error instanceof RefusedStep)) {
      store.logger.warn({ err: error, executionId: run.executionId, step: step.id }, "a step of an automation failed");
    }
    await record(store.database.query, { ...result, input });
    return result;
  }
}

/** Takes the transaction back, so that a refused step leaves nothing behind. */
class RefusedStep extends Error {
  override readonly name = "RefusedStep";
  readonly result: ActionResult;

  constructor(result: ActionResult) {
    super("The step was refused.");
    this.result = result;
  }
}

export type PreparedStep =
  | { readonly ok: true; readonly action: Action; readonly input: unknown; readonly checked: unknown }
  | { readonly ok: false; readonly retry: false; readonly reason: string; readonly input: unknown };

/** Renders a step's input and checks it against its action. */
export async function prepareStep(
  actions: ReadonlyMap<string, Action>,
  step: AutomationStep,
  { event, outputs }: { readonly event: Event; readonly outputs: ReadonlyMap<string, unknown> },
): Promise<PreparedStep> {
  const action = actions.get(step.action);
  if (action === undefined) {
    return { ok: false, retry: false, reason: `There is no action "${step.action}" here.`, input: null };
  }
  let input: unknown = null;
  try {
    input = await renderTemplates(step.input, scopeOf(event, outputs));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, retry: false, reason: `Its template can't be rendered: ${message}`, input };
  }
  const result = await action.schema["~standard"].validate(input);
  if (!result.issues) return { ok: true, action, input, checked: result.value };
  const faults = result.issues.map(({ path = [], message }) => {
    const place = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
    return place === "" ? message : `${place}: ${message}`;
  });
  return { ok: false, retry: false, reason: `Its input will not do: ${faults.join("; ")}`, input };
}

const subjectOf = ({ type, timestamp, data }: Event) => ({ type, timestamp, data });

/** What a template sees: the fields of the event's data by themselves, and never in the way of `event` and `steps`. */
function scopeOf(event: Event, outputs: ReadonlyMap<string, unknown>): Readonly<Record<string, unknown>> {
  const fields = typeof event.data === "object" && event.data !== null && !Array.isArray(event.data) ? event.data : {};
  return { ...fields, event, data: event.data, steps: Object.fromEntries(outputs) };
}

/**
 * Whether an event meets the condition of an automation.
 *
 * @throws EngineError `invalid_automation` when to judge it takes too many steps
 */
export function isTriggered(automation: Pick<Automation, "condition">, event: Event): boolean {
  try {
    return meets(automation.condition, subjectOf(event));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError("invalid_automation", `The automation's condition cannot be judged: ${reason}`, { cause });
  }
}
