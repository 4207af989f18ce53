import { type Action, type Destination, type Event, newId, type Outbox } from "@hookline/core";
import { EngineError } from "../errors.js";
import { isUniqueViolation } from "../storage/conflicts.js";
import type { Store } from "../storage/store.js";
import { AUTOMATION_DESTINATION_ID, automationDestination } from "./automation-destination.js";
import { type Automation, type AutomationKey, createAutomationStore, definitionText } from "./automation-store.js";
import { builtInActions } from "./built-in-actions.js";
import { type AutomationDefinition, checkDefinition, checkName } from "./definition.js";
import { type AutomationExecutionPage, createExecutionLog, type ExecutionQuery } from "./execution-log.js";
import { httpRequestDestination } from "./http-request-destination.js";
import { isTriggered, prepareStep, type RunParts } from "./run-automation.js";

/** Trigger → condition → steps, stored per tenant. An automation takes part from its activation on. */
export interface Automations {
  /**
   * Stores an automation, not active yet.
   *
   * @throws EngineError `invalid_automation`, `name_taken`
   */
  create(automation: NewAutomation): Promise<Automation>;
  get(automation: AutomationKey): Promise<Automation | null>;
  /** Newest first. */
  list(tenant: { readonly tenantId: string }): Promise<readonly Automation[]>;
  /**
   * Changes the name or the definition, which makes a new version. An execution goes on with the version that it
   * began with.
   *
   * @throws EngineError `automation_not_found`, `invalid_automation`, `name_taken`
   */
  update(automation: AutomationKey, changes: AutomationChanges): Promise<Automation>;
  /** Executions are kept. False when there was none. */
  delete(automation: AutomationKey): Promise<boolean>;
  /** Runs it for each event published from now on. @throws EngineError `automation_not_found` */
  activate(automation: AutomationKey): Promise<Automation>;
  /** Runs it no more; runs that wait for a retry are given up. @throws EngineError `automation_not_found` */
  deactivate(automation: AutomationKey): Promise<Automation>;
  /** Renders each step for a sample event and does nothing. @throws EngineError `automation_not_found` */
  test(automation: AutomationKey, sample: AutomationSample): Promise<AutomationTestResult>;
  /** Newest first. @throws EngineError `invalid_cursor` */
  executions(query: ExecutionQuery): Promise<AutomationExecutionPage>;
  /** The names and descriptions of the actions that steps can use. */
  readonly actions: readonly { readonly name: string; readonly description: string }[];
  /** Give them to the dispatcher: `dispatcher.use`. */
  readonly destinations: readonly Destination[];
}

export interface NewAutomation extends AutomationDefinition {
  readonly tenantId: string;
  /** Unique in its tenant; 200 characters at most. */
  readonly name: string;
}

export type AutomationChanges = Partial<Pick<Automation, "name" | "trigger" | "condition" | "steps">>;

export interface AutomationSample {
  readonly type: string;
  readonly data: unknown;
}

export interface AutomationTestResult {
  /** Whether an event like the sample would run it. */
  readonly conditionMet: boolean;
  readonly steps: readonly TestedStep[];
}

export interface TestedStep {
  readonly id: string;
  readonly action: string;
  /** The rendered input. Outputs of earlier steps are empty in a test. */
  readonly input: unknown;
  /** What is wrong with it; null when the action would take it. */
  readonly error: string | null;
}

/** @throws EngineError `invalid_options` for two actions of one name */
export function createAutomations(options: {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly actions: readonly Action[];
}): Automations {
  const { store, outbox } = options;
  const { database, clock } = store;
  const actions = byName([...builtInActions(outbox), ...options.actions]);
  const automations = createAutomationStore(store);
  const log = createExecutionLog(store);
  const parts: RunParts = { store, automations, log, actions };
  const now = () => new Date(clock.now()).toISOString();

  const subscribe = ({ id, tenantId, trigger }: Automation) =>
    outbox.subscribe({
      key: keyOf(id),
      tenantId,
      destination: AUTOMATION_DESTINATION_ID,
      events: trigger.events,
      target: { automationId: id },
    });

  /** Stores a change of one automation and answers what it was and is. */
  const change = (key: AutomationKey, changed: (before: Automation) => Automation) =>
    guardName(
      database.transaction(async ({ query }) => {
        const before = await automations.lock(query, key);
        if (before === null) throw notFound(key.id);
        const after = changed(before);
        await automations.update(query, after, { isNewVersion: after.version !== before.version });
        return after;
      }),
    );

  return {
    async create({ tenantId, name, ...definition }) {
      checkName(name);
      const at = now();
      const automation: Automation = {
        id: newId("aut", clock.now()),
        tenantId,
        name,
        active: false,
        version: 1,
        ...checkDefinition(definition, actions),
        createdAt: at,
        updatedAt: at,
      };
      await guardName(database.transaction(({ query }) => automations.insert(query, automation)));
      return automation;
    },

    get: (key) => automations.get(database.query, key),
    list: ({ tenantId }) => automations.list(database.query, tenantId),

    async update(key, changes) {
      if (changes.name !== undefined) checkName(changes.name);
      const after = await change(key, (before) => {
        const { trigger, condition, steps } = { ...before, ...changes };
        const definition = checkDefinition(
          { trigger, steps, ...(condition === undefined ? {} : { condition }) },
          actions,
        );
        const isNewVersion = definitionText(definition) !== definitionText(before);
        const { condition: _, ...kept } = before;
        return {
          ...kept,
          ...definition,
          name: changes.name ?? before.name,
          version: before.version + (isNewVersion ? 1 : 0),
          updatedAt: now(),
        };
      });
      if (after.active) await subscribe(after);
      return after;
    },

    async delete(key) {
      await outbox.unsubscribe({ tenantId: key.tenantId, key: keyOf(key.id) });
      return await automations.delete(database.query, key);
    },

    async activate(key) {
      const after = await change(key, (before) => ({ ...before, active: true, updatedAt: now() }));
      // Second: a crash in between leaves an automation without events, and activating it again mends that.
      await subscribe(after);
      return after;
    },

    async deactivate(key) {
      const after = await change(key, (before) => ({ ...before, active: false, updatedAt: now() }));
      await outbox.unsubscribe({ tenantId: key.tenantId, key: keyOf(key.id) });
      return after;
    },

    async test(key, { type, data }) {
      const automation = await automations.get(database.query, key);
      if (automation === null) throw notFound(key.id);
      const event: Event = { id: newId("evt", clock.now()), type, timestamp: now(), tenantId: key.tenantId, data };
      const steps: TestedStep[] = [];
      for (const step of automation.steps) {
        const prepared = await prepareStep(actions, step, { event, outputs: new Map() });
        const error = prepared.ok ? null : prepared.reason;
        steps.push({ id: step.id, action: step.action, input: prepared.input, error });
      }
      return { conditionMet: isTriggered(automation, event), steps };
    },

    executions: (query) => log.list(database.query, query),
    actions: [...actions.values()].map(({ name, description }) => ({ name, description })),
    destinations: [automationDestination(parts), httpRequestDestination()],
  };
}

const keyOf = (automationId: string): string => `automation-${automationId}`;

function byName(actions: readonly Action[]): ReadonlyMap<string, Action> {
  const map = new Map<string, Action>();
  for (const action of actions) {
    if (map.has(action.name)) throw new EngineError("invalid_options", `Two actions share the name ${action.name}.`);
    map.set(action.name, action);
  }
  return map;
}

async function guardName<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new EngineError("name_taken", "The tenant has an automation of this name.", { cause: error });
  }
}

function notFound(id: string): EngineError {
  return new EngineError("automation_not_found", `There is no automation "${id}".`);
}
