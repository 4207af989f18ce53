import {
  type Action,
  type Condition,
  type Destination,
  type Event,
  newId,
  type Outbox,
  type Transaction,
} from "@hookline/core";
import { writeAudit } from "../access/audit.js";
import { EngineError } from "../errors.js";
import { isUniqueViolation } from "../storage/conflicts.js";
import type { Store } from "../storage/store.js";
import { createSweeper } from "../storage/sweep.js";
import { AUTOMATION_DESTINATION_ID, type AutomationTarget, automationDestination } from "./automation-destination.js";
import { type Automation, type AutomationKey, createAutomationStore, definitionText } from "./automation-store.js";
import { builtInActions } from "./built-in-actions.js";
import type { Causation } from "./causation.js";
import { type AutomationDefinition, checkDefinition, checkName } from "./definition.js";
import {
  type AutomationExecution,
  type AutomationExecutionPage,
  createExecutionLog,
  type ExecutionQuery,
} from "./execution-log.js";
import { httpRequestDestination } from "./http-request-destination.js";
import { isTriggered, prepareStep, type RunParts } from "./run-automation.js";

/**
 * Trigger → condition → steps, stored per tenant. An automation takes part from its activation on. Who makes, changes,
 * activates, deactivates or deletes one is in the audit log.
 */
export interface Automations {
  /**
   * Stores an automation, which takes part from its activation on; at once where it is made `active`.
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
  update(automation: AutomationReference, changes: AutomationChanges): Promise<Automation>;
  /** Executions are kept. False when there was none. */
  delete(automation: AutomationReference): Promise<boolean>;
  /** Runs it for each event published from now on. @throws EngineError `automation_not_found` */
  activate(automation: AutomationReference): Promise<Automation>;
  /** Runs it no more; runs that wait for a retry are given up. @throws EngineError `automation_not_found` */
  deactivate(automation: AutomationReference): Promise<Automation>;
  /** Renders each step for a sample event and does nothing. @throws EngineError `automation_not_found` */
  test(automation: AutomationKey, sample: AutomationSample): Promise<AutomationTestResult>;
  /** Newest first. @throws EngineError `invalid_cursor` */
  executions(query: ExecutionQuery): Promise<AutomationExecutionPage>;
  /** What some events have run, of whatever automation, newest first. */
  executionsOfEvents(events: {
    readonly tenantId: string;
    readonly eventIds: readonly string[];
  }): Promise<readonly AutomationExecution[]>;
  /** The names and descriptions of the actions that steps can use. */
  readonly actions: readonly { readonly name: string; readonly description: string }[];
  /**
   * The engine's outbox, for what actions of your own publish in their step's transaction: the events remember that an
   * automation has caused them, so that a loop ends.
   */
  readonly outbox: Outbox;
  /** Give them to the dispatcher: `dispatcher.use`. */
  readonly destinations: readonly Destination[];
}

export interface NewAutomation extends AutomationDefinition {
  readonly tenantId: string;
  /** Unique in its tenant; 200 characters at most. */
  readonly name: string;
  /** Who makes it, for the audit log. */
  readonly actor?: string;
  /** Activated in the same transaction; not active when absent. */
  readonly active?: boolean;
}

export interface AutomationReference extends AutomationKey {
  /** Who does it, for the audit log. */
  readonly actor?: string;
}

export interface AutomationChanges extends Partial<Pick<Automation, "name" | "trigger" | "steps">> {
  /** Null takes it away: every event that triggers. */
  readonly condition?: Condition | null;
}

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
  readonly causation: Causation;
  readonly actions: readonly Action[];
  readonly messageDestinations: readonly string[];
}): Automations {
  const { store, causation, messageDestinations } = options;
  const { outbox } = causation;
  const { database, clock } = store;
  const actions = byName([...builtInActions({ causation, messageDestinations }), ...options.actions]);
  const rules = { actions, messageDestinations };
  const automations = createAutomationStore(store);
  const log = createExecutionLog(store);
  const parts: RunParts = { store, automations, log, causation, actions };
  const sweeper = createSweeper(store);
  const now = () => new Date(clock.now()).toISOString();

  /** Its subscription is what makes it run: it changes with the automation, under the lock on its row, or not at all. */
  const follow = async (transaction: Transaction, { id, tenantId, trigger, active }: Automation): Promise<void> => {
    const subscription = { tenantId, key: keyOf(id) };
    if (!active) {
      await outbox.unsubscribe(subscription, { transaction });
      return;
    }
    const target: AutomationTarget = { automationId: id };
    await outbox.subscribe(
      { ...subscription, destination: AUTOMATION_DESTINATION_ID, events: trigger.events, target },
      { transaction },
    );
  };

  const audit = (
    transaction: Transaction,
    { tenantId, id, name, version }: Automation,
    act: { readonly action: string; readonly actor: string | undefined },
  ) => {
    const actor = act.actor === undefined ? {} : { actor: act.actor };
    return writeAudit(store, transaction, [
      { tenantId, action: act.action, target: id, details: { name, version }, ...actor },
    ]);
  };

  /** Changes one automation under its lock, with its subscription and an entry in the audit log. */
  const change = (
    { actor, ...key }: AutomationReference,
    action: string,
    changed: (before: Automation) => Automation,
  ) =>
    guardName(
      database.transaction(async (transaction) => {
        const { query } = transaction;
        const before = await automations.lock(query, key);
        if (before === null) throw notFound(key.id);
        const after = changed(before);
        await automations.update(query, after, { isNewVersion: after.version !== before.version });
        await follow(transaction, after);
        await audit(transaction, after, { action, actor });
        return after;
      }),
    );

  return {
    async create({ tenantId, name, actor, active = false, ...definition }) {
      checkName(name);
      const at = now();
      const automation: Automation = {
        id: newId("aut", clock.now()),
        tenantId,
        name,
        active,
        version: 1,
        ...checkDefinition(definition, rules),
        createdAt: at,
        updatedAt: at,
      };
      await guardName(
        database.transaction(async (transaction) => {
          await automations.insert(transaction.query, automation);
          await audit(transaction, automation, { action: "automation.created", actor });
          if (active) {
            await follow(transaction, automation);
            await audit(transaction, automation, { action: "automation.activated", actor });
          }
        }),
      );
      return automation;
    },

    get: (key) => automations.get(database.query, key),
    list: ({ tenantId }) => automations.list(database.query, tenantId),

    async update(key, changes) {
      if (changes.name !== undefined) checkName(changes.name);
      return await change(key, "automation.changed", (before) => {
        const { trigger, condition, steps } = { ...before, ...changes };
        const definition = checkDefinition({ trigger, steps, ...(condition == null ? {} : { condition }) }, rules);
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
    },

    delete: ({ actor, ...key }) =>
      database.transaction(async (transaction) => {
        const before = await automations.lock(transaction.query, key);
        if (before === null) return false;
        await follow(transaction, { ...before, active: false });
        await audit(transaction, before, { action: "automation.deleted", actor });
        return await automations.delete(transaction.query, key);
      }),

    activate: (key) => change(key, "automation.activated", (before) => ({ ...before, active: true, updatedAt: now() })),
    deactivate: (key) =>
      change(key, "automation.deactivated", (before) => ({ ...before, active: false, updatedAt: now() })),

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
    executionsOfEvents: (events) => log.listOfEvents(database.query, events),
    actions: [...actions.values()].map(({ name, description }) => ({ name, description })),
    outbox,
    destinations: [automationDestination(parts, sweeper), httpRequestDestination()],
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
