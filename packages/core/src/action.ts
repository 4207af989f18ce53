import type { Event } from "./event.js";
import type { StandardSchema } from "./schema.js";
import type { Transaction } from "./transaction.js";

/**
 * What a step of an automation does. Its input comes from the automation's templates and is checked by `schema`.
 *
 * `run` of a `transactional` action works in the transaction that records the step: its writes happen exactly once,
 * whatever crashes. An `external` one calls something else, outside of any transaction: at least once, so it hands on
 * `idempotencyKey`, the same for each try of this step.
 */
export type Action<Input = unknown> = TransactionalAction<Input> | ExternalAction<Input>;

interface ActionFace<Input> {
  /** Dotted, such as `ticket.create`. */
  readonly name: string;
  readonly description: string;
  readonly schema: StandardSchema<Input>;
}

export interface TransactionalAction<Input = unknown> extends ActionFace<Input> {
  readonly kind: "transactional";
  run(input: Input, context: ActionContext & { readonly transaction: Transaction }): Promise<ActionResult>;
}

export interface ExternalAction<Input = unknown> extends ActionFace<Input> {
  readonly kind: "external";
  run(input: Input, context: ActionContext & { readonly signal: AbortSignal }): Promise<ActionResult>;
}

export interface ActionContext {
  readonly tenantId: string;
  readonly automationId: string;
  readonly executionId: string;
  /** The event that the automation runs for. */
  readonly event: Event;
  /** The same over all tries of this step of this execution, and of no other. */
  readonly idempotencyKey: string;
}

/** What became of a step. A throw counts as a failure that may pass. */
export type ActionResult =
  /** `output` is JSON: later steps read it as `steps.<id>`. */
  | { readonly ok: true; readonly output?: unknown }
  | {
      readonly ok: false;
      /** False: another try would change nothing, and the execution has failed. */
      readonly retry: boolean;
      /** For people who read the execution. No secrets. */
      readonly reason: string;
      readonly retryAfterMs?: number;
    };

/**
 * Types an action; adds nothing at run time.
 *
 * @example
 * const createTicket = defineAction({
 *   name: "ticket.create",
 *   description: "Opens a ticket at the desk.",
 *   kind: "transactional",
 *   schema: z.object({ name: z.string(), description: z.string() }),
 *   run: async (input, { transaction, tenantId }) => ({ ok: true, output: await desk.open(tenantId, input, { transaction }) }),
 * });
 */
export function defineAction<Input>(action: TransactionalAction<Input>): TransactionalAction<Input>;
export function defineAction<Input>(action: ExternalAction<Input>): ExternalAction<Input>;
export function defineAction<Input>(action: Action<Input>): Action<Input> {
  return action;
}
